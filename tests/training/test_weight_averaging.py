"""Weight averaging: the mean of weights, with statistics of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from instrec.params import Params
from instrec.training import weight_averaging
from instrec.training.batches import Batches
from instrec.util import hdf5

SHAPE, CLIPS = (9, 6, 1), 64


@pytest.fixture
def batches(small_params: Params, tmp_path: Path) -> Any:
    """Batches of a store of spectrograms whose values lie around 0.4."""
    with hdf5.create(
        tmp_path / "train.h5",
        name="features",
        shape=SHAPE,
        dtype=np.float16,
        ids=[f"train/solo/{number}" for number in range(CLIPS)],
        labels=np.eye(len(small_params.classes), dtype=np.uint8)[np.arange(CLIPS) % len(small_params.classes)],
        classes=small_params.classes,
    ) as writer:
        writer.append((0.2 + 0.4 * np.random.default_rng(1).random((CLIPS, *SHAPE))).astype(np.float16))
    with hdf5.open_store(tmp_path / "train.h5") as clips:
        yield Batches(clips, replace(small_params, train=replace(small_params.train, batch_size=16)))


def models(folder: Path, number: int) -> list[Path]:
    files = []
    for seed in range(number):
        model = keras.Sequential(
            [keras.Input(SHAPE), keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dense(3, name="dense")]
        )
        model.set_weights([np.random.default_rng(seed).random(weights.shape) for weights in model.get_weights()])
        files.append(folder / f"{seed}.keras")
        model.save(files[-1])
    return files


def test_weights_are_the_mean_and_statistics_are_of_what_passes_through(batches: Any, tmp_path: Path) -> None:
    files = models(tmp_path, 3)
    mean = weight_averaging.average(files, batches)
    for name in ("kernel", "bias"):
        of_each = [getattr(keras.models.load_model(path).get_layer("dense"), name).numpy() for path in files]
        np.testing.assert_allclose(getattr(mean.get_layer("dense"), name).numpy(), np.mean(of_each, axis=0), rtol=1e-6)
    assert mean.layers[0].moving_mean.numpy() == pytest.approx(0.4, abs=0.05)
    assert mean.layers[0].moving_variance.numpy() == pytest.approx(0.4**2 / 12, abs=0.08)  # 1/16 is left of the old


def test_one_epoch_is_what_it_was(batches: Any, tmp_path: Path) -> None:
    (file,) = models(tmp_path, 1)
    for now, before in zip(
        weight_averaging.average([file], batches).get_weights(),
        keras.models.load_model(file).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize(("share", "epochs", "averaged"), [(0.0, 20, 0), (0.4, 20, 8), (0.4, 3, 1), (1.0, 5, 5)])
def test_a_share_of_the_epochs_is_averaged(small_params: Params, share: float, epochs: int, averaged: int) -> None:
    assert weight_averaging.epochs(replace(small_params.train, average_share=share, epochs=epochs)) == averaged
