"""EfficientAT: weights of AudioSet from a repository on this disk, where they go, and what of them learns."""

import hashlib
import logging
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from instrec.models import architectures, audioset
from instrec.models.architectures import efficient_at
from instrec.params import Params
from tests.refusals import refused
from tests.synthesis.soundfonts.test_libraries import git

SHAPE = (32, 128, 1)
URL = "https://nowhere.invalid/weights"
Trunk = Callable[..., keras.Model]


def as_pytorch(model: keras.Model) -> Iterator[bytes]:
    """What PyTorch keeps: outputs, inputs, bands and frames of kernels, a count of batches after each normalization."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from as_pytorch(layer)
            continue
        for values in layer.get_weights():
            order = {4: (3, 2, 1, 0), 2: (1, 0), 1: (0,)}[values.ndim]
            if isinstance(layer, layers.DepthwiseConv2D):
                order = (2, 3, 1, 0)
            yield np.ascontiguousarray(values.transpose(order)).tobytes()
        if isinstance(layer, layers.BatchNormalization):
            yield np.int64(7).tobytes()


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    """A teacher of random weights, statistics of normalization among them."""
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audioset, "assign", lambda *_: None)
        model = efficient_at.teacher(SHAPE[0])
    model.set_weights([each + rng.uniform(-0.05, 0.05, each.shape) for each in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory, trained: keras.Model) -> Path:
    folder = tmp_path_factory.mktemp("upstream")
    with zipfile.ZipFile(folder / "random.pt", "w") as file:
        file.writestr("archive/data.pkl", b"not read")
        for number, content in enumerate(as_pytorch(trained)):
            file.writestr(f"archive/data/{number}", content)
    git(folder, "init", "--quiet")
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "weights")
    return folder


@pytest.fixture
def checkpoint(upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> audioset.Checkpoint:
    """The random weights in the place of AudioSet's; git is pointed to them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {"COUNT": "1", "KEY_0": f"url.{upstream}.insteadOf", "VALUE_0": URL}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    digest = hashlib.sha256((upstream / "random.pt").read_bytes()).hexdigest()
    made = audioset.Checkpoint(URL, git(upstream, "rev-parse", "HEAD"), "random.pt", digest, "CC0, Nobody")
    monkeypatch.setattr(audioset, "MN04", made)
    return made


def built(params: Params, **parameters: Any) -> keras.Model:
    model = replace(params.model, name="efficient_at", variant="mn04", weights="audioset", **parameters)
    return architectures.build(SHAPE, len(params.classes), params.task, model)


def test_weights_go_where_they_were_trained(
    small_params: Params, checkpoint: audioset.Checkpoint, trained: keras.Model, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    model = built(small_params)
    assert caplog.messages == [f"{URL}: CC0, Nobody"]
    for name in ("efficient_at", "hidden"):
        for own, its in zip(model.get_layer(name).get_weights(), trained.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(own, its.astype(np.float32))
    features = np.random.default_rng(0).random((2, *SHAPE), dtype=np.float32)
    given = efficient_at.teacher(SHAPE[0]).predict_on_batch(features)
    assert (given["embedding"].shape, given["logits"].shape) == ((2, 384), (2, 527))
    for name, values in trained.predict_on_batch(features).items():
        np.testing.assert_allclose(given[name], values, rtol=1e-5)


def test_they_are_fetched_once_and_again_if_damaged(
    checkpoint: audioset.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = audioset.find(checkpoint)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert audioset.find(checkpoint).read_bytes() == whole
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    assert audioset.find(checkpoint) == path


def test_without_a_network_it_says_what_to_ask_for(
    small_params: Params, checkpoint: audioset.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    with refused("download-failed", URL, "insteadOf", "model.weights: none"):
        built(small_params)


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"path": "other.pt"}])
def test_other_weights_are_refused(checkpoint: audioset.Checkpoint, change: dict[str, str]) -> None:
    other = replace(checkpoint, **change)
    with refused("checksum-mismatch", f"{URL}: {other.path}", other.sha256, "insteadOf"):
        audioset.find(other)


def test_the_pinned_checkpoint_is_described_whole() -> None:
    assert (len(audioset.MN04.commit), len(audioset.MN04.sha256)) == (40, 64)
    assert audioset.MN04.terms.startswith("MIT")


@pytest.mark.parametrize(("frozen", "parts"), [(False, {"efficient_at", "hidden"}), (True, {"hidden"})])
def test_normalization_stays_and_frozen_convolutions_do(
    small_params: Params, checkpoint: audioset.Checkpoint, frozen: bool, parts: set[str]
) -> None:
    model = built(small_params, frozen=frozen)
    model.compile("sgd", dict.fromkeys(model.output, "mse"), run_eagerly=True)
    before = {name: model.get_layer(name).get_weights() for name in ("efficient_at", "hidden")}
    features = np.random.default_rng(0).random((2, *SHAPE), dtype=np.float32)
    model.train_on_batch(features, {name: np.zeros((2, each.shape[1])) for name, each in model.output.items()})
    moved = {
        name
        for name, weights in before.items()
        if not all(map(np.array_equal, weights, model.get_layer(name).get_weights()))
    }
    assert moved == parts
    for layer in model.get_layer("efficient_at").layers:
        assert not (isinstance(layer, layers.BatchNormalization) and layer.trainable_weights)


@pytest.mark.parametrize("shape", [(32, 64, 1), (32, 128, 2)])
def test_features_that_the_weights_do_not_know_are_refused(small_params: Params, shape: tuple[int, int, int]) -> None:
    model = replace(small_params.model, name="efficient_at", variant="mn04", weights="audioset")
    with refused("parameters-conflict", "params.yaml: model.weights", "spectrogram.mels: 128"):
        architectures.build(shape, 3, "solo", model)
