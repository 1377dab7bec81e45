"""Labels of which nothing is known: they reach training as such, and count for nothing there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.models import architectures, classifier
from instrec.models.heads import UNKNOWN, complete
from instrec.params import Params
from instrec.training import calibration, fit, warm_start
from instrec.training.batches import Batches, augment, balanced, clip_weights
from instrec.util import hdf5

pytestmark = pytest.mark.usefixtures("eager")

CLIPS, SHAPE = 24, (33, 24, 1)
SEEDS = st.integers(0, 2**32 - 1)
many = settings(max_examples=30)


def drawn(seed: int, *, clips: int = 40, classes: int = 5, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Labels, some of them unknown, and probabilities that know a little of them [shape=(clips, classes)]."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((clips, classes)) < 0.4).astype(np.float32)
    presence = (0.7 * rng.random(labels.shape) + 0.3 * labels).astype(np.float32)
    unknown = (rng.random(labels.shape) < share) & (rng.random((clips, 1)) < 0.6)
    return np.where(unknown, np.float32(UNKNOWN), labels), presence


def write(path: Path, params: Params, *, never: int | None = None) -> None:
    """Write features whose bands tell the classes; in every third clip all that does not sound is unknown.

    `never` is a class that is unknown wherever it does not sound.
    """
    rng = np.random.default_rng(7)
    owner = np.arange(CLIPS) % len(params.classes)
    labels = np.eye(len(params.classes), dtype=np.uint8)[owner]
    unknown = (1 - labels) * (np.arange(CLIPS) % 3 == 0)[:, np.newaxis].astype(np.uint8)
    if never is not None:
        labels[:, never], unknown[:, never] = 0, 1
    features = rng.random((CLIPS, *SHAPE)) * 0.3
    for image, own in zip(features, owner, strict=True):
        image[:, 5 * own : 5 * own + 3] += 0.6
    form = {"name": "features", "shape": SHAPE, "dtype": np.float16, "classes": params.classes}
    ids = [f"train/mixture/{number}" for number in range(CLIPS)]
    with hdf5.create(path, ids=ids, labels=labels, unknown=unknown, **form) as writer:
        writer.append(features.astype(np.float16))


@pytest.fixture
def store(tmp_path: Path, small_params: Params) -> Iterator[hdf5.Store]:
    write(tmp_path / "train.h5", small_params)
    with hdf5.open_store(tmp_path / "train.h5") as clips:
        yield clips


def test_targets_are_neither_0_nor_1_where_labels_are_unknown(store: hdf5.Store, small_params: Params) -> None:
    _, targets = Batches(store, small_params)[0]
    np.testing.assert_array_equal(targets["presence"], np.where(store.unknown, UNKNOWN, store.labels))
    assert targets["presence"].dtype == np.float32
    np.testing.assert_array_equal(targets["count"][~store.unknown.any(axis=1)].argmax(axis=1), 1)
    assert not targets["count"][store.unknown.any(axis=1)].any()


@many
@given(SEEDS)
def test_a_clip_with_unknown_labels_is_neither_mixed_nor_mixed_in_nor_shortened(
    small_params: Params, seed: int
) -> None:
    train = replace(small_params.train, mix_probability=1.0, shorten_probability=1.0, noise_floor_probability=0.0)
    train = replace(train, roll_seconds=0.0, mask_mels=0, color_db=0.0)
    rng = np.random.default_rng(seed)
    labels, _ = drawn(seed, clips=12, classes=4)
    labels[0] = 0, UNKNOWN, 0, UNKNOWN  # as much as one instrument
    features = np.clip(rng.normal(0.6, 0.2, (12, *SHAPE)), 0.01, 1).astype(np.float32)
    whole = complete(labels)
    after, merged, mixed = augment(rng, features.copy(), labels, replace(small_params, train=train))
    np.testing.assert_allclose(after[~whole], features[~whole], atol=1e-6)
    np.testing.assert_array_equal(merged[~whole], labels[~whole])
    np.testing.assert_array_equal(complete(merged), whole)
    assert whole[mixed].all()


def test_unknown_labels_give_a_clip_no_weight(store: hdf5.Store) -> None:
    weights = balanced(store.labels)
    labels = np.where(store.unknown, np.float32(UNKNOWN), store.labels.astype(np.float32))
    np.testing.assert_array_equal(clip_weights(labels, weights), clip_weights(store.labels.astype(np.float32), weights))
    assert clip_weights(np.float32([[UNKNOWN, 0], [UNKNOWN, 1]]), np.float32([3, 2])).tolist() == [1, 2]


@many
@given(SEEDS)
def test_calibration_looks_at_known_labels_alone(seed: int) -> None:
    labels, presence = drawn(seed)
    known = labels != UNKNOWN
    other = np.where(known, presence, 1 - presence)
    assert calibration.temperature(labels, presence) == calibration.temperature(labels, other)
    thresholds = calibration.best_thresholds(labels, presence)
    np.testing.assert_array_equal(thresholds, calibration.best_thresholds(labels, other))
    # As if every known label were a clip of a model of one class.
    alone = calibration.temperature(labels[known][:, np.newaxis], presence[known][:, np.newaxis])
    assert calibration.temperature(labels, presence) == pytest.approx(alone, rel=1e-3)
    mixed = ~complete(labels) | (labels.sum(axis=1) != 1)
    for column, threshold in enumerate(thresholds):
        own = known[:, column] & mixed
        twice = [np.repeat(each[own, column, np.newaxis], 2, axis=1) for each in (labels, presence)]  # never one label
        assert threshold == calibration.best_thresholds(*twice)[0]


def test_known_labels_beside_unknown_ones_count() -> None:
    labels, presence = drawn(5)
    where = ~complete(labels)[:, np.newaxis] & (labels != UNKNOWN)
    other = np.where(where, 1 - presence, presence)
    assert calibration.temperature(labels, presence) != calibration.temperature(labels, other)
    assert (calibration.best_thresholds(labels, presence) != calibration.best_thresholds(labels, other)).all()


def test_a_class_that_is_never_known_has_the_threshold_of_one_that_never_occurs() -> None:
    labels, presence = drawn(6)
    labels[:, 2] = UNKNOWN
    assert calibration.best_thresholds(labels, presence)[2] == 0.5


def test_how_many_instruments_sound_is_learned_from_clips_without_unknown_labels() -> None:
    whole = np.float32([[0, 0], [1, 0], [0, 1], [1, 1]])
    unsure = np.float32([[UNKNOWN, 1], [UNKNOWN, UNKNOWN], [0, UNKNOWN]])
    np.testing.assert_array_equal(
        calibration.expected(np.concatenate([whole, unsure]), 4), calibration.expected(whole, 4)
    )
    np.testing.assert_array_equal(calibration.expected(unsure, 4), [0, 0, 0, 0])


def test_the_prior_is_that_of_known_labels(small_params: Params) -> None:
    model = architectures.build(SHAPE, 4, "count_presence", replace(small_params.model, width=4))
    labels = np.float32([[1, 0, 0, UNKNOWN]] * 3 + [[0, UNKNOWN, 1, UNKNOWN]] * 5 + [[0, 1, 0, UNKNOWN]] * 2)
    warm_start.set_prior(model, labels)
    bias = model.get_layer("presence").get_weights()[1]
    assert 1 / (1 + np.exp(-bias)) == pytest.approx([0.3, 0.4, 0.5, 0.5])
    np.testing.assert_array_equal(model.get_layer("count").get_weights()[1], [0, 0, 0, 0])


def test_training_with_unknown_labels_learns_the_others(small_params: Params, tmp_path: Path) -> None:
    train = replace(small_params.train, epochs=3, batch_size=12, start="prior", class_weights="balanced")
    params = replace(small_params, model=replace(small_params.model, width=4), train=train)
    for name in ("train", "valid"):
        write(tmp_path / f"spectrograms/{name}.h5", params, never=3)
    written = (tmp_path / name for name in ("classifier.keras", "history.csv", "speed.json", "backup"))
    fit.train(params, fit.Files(tmp_path / "audio.h5", tmp_path / "spectrograms", tmp_path, tmp_path, *written))
    with (tmp_path / "history.csv").open(newline="") as file:
        first, *_, last = csv.DictReader(file)
    assert float(last["loss"]) < float(first["loss"])
    assert float(last["presence_f1"]) > float(first["presence_f1"])
    assert float(last["count_accuracy"]) == float(last["val_count_loss"]) == 0
    assert classifier.load(tmp_path / "classifier.keras").card.thresholds[3] == 0.5
