"""Batches: bounded, repeatable, and augmentation that does what it says."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec.models.heads import TASKS
from instrec.params import Params
from instrec.training.batches import Batches, augment, balanced, clip_weights
from instrec.util.hdf5 import create, open_store

CLIPS, SHAPE = 20, (26, 16, 1)


@pytest.fixture
def file(tmp_path: Path, small_params: Params) -> Path:
    rng = np.random.default_rng(1)
    classes = small_params.classes
    labels = np.eye(len(classes), dtype=np.uint8)[np.arange(CLIPS) % (len(classes) + 1) % len(classes)]
    path = tmp_path / "train.h5"
    ids = [f"clip-{number}" for number in range(CLIPS)]
    with create(
        path, name="features", shape=SHAPE, dtype=np.float16, ids=ids, labels=labels, classes=classes
    ) as writer:
        writer.append(rng.random((CLIPS, *SHAPE)).astype(np.float16))
    return path


@pytest.fixture
def params(small_params: Params) -> Params:
    return replace(small_params, train=replace(small_params.train, batch_size=8))


def plain(params: Params) -> Params:
    """Without augmentation."""
    none = dict.fromkeys(("mix_probability", "shorten_probability", "noise_floor_probability"), 0.0)
    none |= {"roll_seconds": 0.0, "mask_mels": 0, "color_db": 0.0}
    return replace(params, train=replace(params.train, **none))


def test_an_epoch_holds_every_clip_once(file: Path, params: Params) -> None:
    with open_store(file) as store:
        batches = Batches(store, plain(params), epoch=0)
        seen = np.concatenate([batches[index][0] for index in range(len(batches))])
        assert [len(batches[index][0]) for index in range(len(batches))] == [8, 8, 4]
        key = np.sort(seen.reshape(CLIPS, -1).sum(axis=1))
        np.testing.assert_allclose(key, np.sort(store.read(0, CLIPS).astype(np.float32).reshape(CLIPS, -1).sum(axis=1)))


def test_devices_share_every_batch_evenly(file: Path, params: Params) -> None:
    with open_store(file) as store:
        batches = Batches(store, plain(params), epoch=0, multiple=8)
        assert batches.clips == 16  # of 20
        assert [len(batches[index][0]) for index in range(len(batches))] == [8, 8]


def test_epochs_differ_and_an_epoch_repeats_itself_batch_by_batch_in_any_order(file: Path, params: Params) -> None:
    with open_store(file) as store:
        first, again, other = Batches(store, params, 0), Batches(store, params, 0), Batches(store, params, 1)
        forwards = [first[index][0] for index in range(3)]
        backwards = [again[index][0] for index in reversed(range(3))][::-1]
        for one, two in zip(forwards, backwards, strict=True):
            np.testing.assert_array_equal(one, two)
        assert not np.array_equal(forwards[0], other[0][0])


def test_validation_keeps_clips_as_they_are_and_in_order(file: Path, params: Params) -> None:
    with open_store(file) as store:
        spectrograms, targets = Batches(store, params)[0]
        np.testing.assert_array_equal(spectrograms, store.read(0, 8).astype(np.float32))
        np.testing.assert_array_equal(targets["presence"], store.labels[:8])
        np.testing.assert_array_equal(targets["count"].argmax(axis=1), store.labels[:8].sum(axis=1))


def augmented(params: Params, spectrograms: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features, merged, _ = augment(np.random.default_rng(3), spectrograms, labels, params)
    return features, merged


def test_a_mixture_is_the_sum_of_powers_with_the_labels_of_both(params: Params) -> None:
    floor_db = params.spectrogram.floor_db
    settings = replace(plain(params), train=replace(plain(params).train, mix_probability=1.0))
    rng = np.random.default_rng(5)
    spectrograms = np.clip(rng.normal(0.5, 0.2, size=(6, *SHAPE)), 0.01, 0.9).astype(np.float32)
    labels = np.eye(len(params.classes), dtype=np.float32)[np.arange(6) % len(params.classes)]
    mixed, merged = augmented(settings, spectrograms, labels)
    assert (merged >= labels).all()
    assert (mixed <= 1).all()
    # What comes in addition is never louder than the partner allows: between the louder of both and 3 dB more.
    changed = np.flatnonzero((mixed != spectrograms).any(axis=(1, 2, 3)))
    assert len(changed) > 0
    for index in changed:
        assert (mixed[index] >= spectrograms[index] - 1e-6).all()
        assert (mixed[index] <= np.maximum(spectrograms[index], spectrograms.max(axis=0)) + 3.02 / floor_db).all()


def test_never_more_than_three_instruments(params: Params) -> None:
    settings = replace(params, train=replace(params.train, mix_probability=1.0))
    labels = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]], dtype=np.float32)
    labels = np.pad(labels, ((0, 0), (0, max(0, len(params.classes) - 4))))
    for seed in range(20):
        spectrograms = np.full((4, *SHAPE), 0.5, dtype=np.float32)
        _, merged, _ = augment(np.random.default_rng(seed), spectrograms, labels, settings)
        assert merged.sum(axis=1).max() <= 3


def test_without_augmentation_nothing_changes(params: Params) -> None:
    spectrograms = np.random.default_rng(2).random((4, *SHAPE), dtype=np.float32)
    labels = np.eye(len(params.classes), dtype=np.float32)[[0, 1, 2, 0]]
    same, kept = augmented(plain(params), spectrograms, labels)
    np.testing.assert_array_equal(same, spectrograms)
    np.testing.assert_array_equal(kept, labels)


def test_noise_fills_what_lies_under_it_and_leaves_the_loudest_point(params: Params) -> None:
    """A tone in one band over silence: noise comes everywhere else, at least 12 dB under it, but for its grain."""
    settings = replace(plain(params), train=replace(plain(params).train, noise_floor_probability=1.0))
    spectrograms = np.zeros((64, *SHAPE), dtype=np.float32)
    spectrograms[:, :, 2] = 1.0
    noisy, _ = augmented(settings, spectrograms, np.zeros((64, len(params.classes)), dtype=np.float32))
    np.testing.assert_allclose(noisy.max(axis=(1, 2, 3)), 1.0, atol=1e-6)
    under_db = (1 - np.delete(noisy, 2, axis=2).mean(axis=(1, 2, 3))) * params.spectrogram.floor_db
    assert 10 < under_db.min() < 25
    assert (np.delete(noisy, 2, axis=2).std(axis=(1, 2, 3)) > 0).mean() > 0.7  # the others have it out of sight


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_so_many_clips_lie_over_noise(params: Params, share: float) -> None:
    settings = replace(plain(params), train=replace(plain(params).train, noise_floor_probability=share))
    spectrograms = np.full((400, *SHAPE), 0.9, dtype=np.float32)
    noisy, _ = augmented(settings, spectrograms, np.zeros((400, len(params.classes)), dtype=np.float32))
    changed = (noisy != spectrograms).any(axis=(1, 2, 3)).mean()
    assert changed == pytest.approx(share, abs=0.08)


def test_silence_stays_silent(params: Params) -> None:
    settings = replace(plain(params), train=replace(plain(params).train, noise_floor_probability=1.0))
    noisy, _ = augmented(settings, np.zeros((8, *SHAPE), dtype=np.float32), np.zeros((8, len(params.classes))))
    assert not noisy.any()


def test_rolling_goes_by_the_seconds_that_a_spectrogram_shows(params: Params) -> None:
    second = replace(params.spectrogram, frames=SHAPE[0], hop=round(params.clip.sample_rate / SHAPE[0]))
    train = replace(plain(params).train, roll_seconds=0.5)
    settings = replace(plain(params), clip=replace(params.clip, seconds=10.0), spectrogram=second, train=train)
    spectrograms = np.full((64, *SHAPE), 0.5, dtype=np.float32)
    moved, _ = augmented(settings, spectrograms, np.zeros((64, len(params.classes)), dtype=np.float32))
    assert (moved == 0).all(axis=(2, 3)).sum(axis=1).max() in (SHAPE[0] // 2 - 1, SHAPE[0] // 2)


def test_rolling_moves_and_fills_with_silence(params: Params) -> None:
    settings = replace(plain(params), train=replace(plain(params).train, roll_seconds=params.clip.seconds / 4))
    spectrograms = np.full((16, *SHAPE), 0.5, dtype=np.float32)
    moved, _ = augmented(settings, spectrograms, np.zeros((16, len(params.classes)), dtype=np.float32))
    gone = (moved == 0).all(axis=(2, 3)).sum(axis=1)
    assert set(np.unique(moved)) == {0.0, 0.5}
    assert 0 < gone.max() <= SHAPE[0] / 4


def test_a_shortened_clip_begins_with_its_sound_is_as_loud_and_ends_in_silence(params: Params) -> None:
    settings = replace(plain(params), train=replace(plain(params).train, shorten_probability=1.0))
    frames, bins, channels = 40, SHAPE[1], SHAPE[2]
    spectrograms = np.full((32, frames, bins, channels), 0.1, dtype=np.float32)
    spectrograms[:, 20:30] = np.linspace(0.6, 1.0, 10, dtype=np.float32)[:, np.newaxis, np.newaxis]
    labels = np.zeros((32, len(params.classes)), dtype=np.float32)
    labels[:, 0] = 1
    labels[16:24, 1] = 1  # two instruments: the second may come later
    labels[24:] = 0
    shortened, kept = augmented(settings, spectrograms.copy(), labels)
    np.testing.assert_array_equal(kept, labels)
    np.testing.assert_array_equal(shortened[16:], spectrograms[16:])
    for spectrogram in shortened[:16]:
        assert spectrogram.max() == 1
        sounding = spectrogram.max(axis=(1, 2)) > 0.55
        assert 0 <= sounding.argmax() <= frames // 16
        assert not spectrogram[-1].any()


def test_rare_classes_weigh_more() -> None:
    labels = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]], np.uint8)
    weights = balanced(labels)
    assert weights == pytest.approx([4 / 3 / 2, 4 / 2, 0])
    of_clips = clip_weights(np.float32([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]]), weights)
    assert of_clips == pytest.approx([2 / 3, 2, 4 / 3, 1])


def test_weights_of_classes_are_for_presence_in_training_alone(file: Path, params: Params) -> None:
    weighing = replace(params, train=replace(params.train, class_weights="balanced"))
    with open_store(file) as store:
        plainly, weighed = Batches(store, params, 0)[0], Batches(store, weighing, 0)[0]
        assert len(plainly) == 2
        assert weighed[2].keys() == weighed[1].keys()
        assert (weighed[2]["count"] == 1).all()
        expected = clip_weights(weighed[1]["presence"], balanced(store.labels))
        np.testing.assert_array_equal(weighed[2]["presence"], expected)
        assert len(Batches(store, weighing)[0]) == 2  # validation


@pytest.mark.parametrize("task", ["multilabel", "count_presence"])
def test_keras_weighs_the_loss_of_presence_by_clips(file: Path, params: Params, task: str) -> None:
    params = replace(plain(params), task=task)
    params = replace(params, train=replace(params.train, class_weights="balanced", label_smoothing=0.0))
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, TASKS[task].outputs(keras.layers.Flatten()(inputs), len(params.classes)))
    losses, weights = TASKS[task].losses(params.train, len(params.classes))
    model.compile(loss=losses, loss_weights=weights, run_eagerly=True)
    with open_store(file) as store:
        features, targets, of_clips = Batches(store, params, 0)[0]
    given = np.asarray(model(features)["presence"])
    wrong = np.where(targets["presence"] > 0, -np.log(given), -np.log1p(-given)).mean(axis=1)
    total = weights["presence"] * (wrong * of_clips["presence"]).mean()
    if task == "count_presence":
        count = np.asarray(model(features)["count"])
        total += weights["count"] * -np.log((targets["count"] * count).sum(axis=1)).mean()
    found = model.test_on_batch(features, targets, sample_weight=of_clips, return_dict=True)
    assert found["loss"] == pytest.approx(total, rel=1e-4)
