"""From a test set's spectrograms to the files in metrics/."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from instrec.evaluation import metrics, test_sets
from instrec.util import hdf5
from tests.evaluation.loudest import CLASSES, THRESHOLDS, Loudest, predicted, write_set
from tests.evaluation.tables import rows_of
from tests.refusals import refused

SETTINGS = {"rounds": 50, "seed": 7}


@pytest.fixture
def parts(tmp_path):
    """What the classifier makes of a set with solo clips and mixtures, and of one with solo clips only."""
    solo = np.eye(3, dtype=np.uint8).repeat(20, axis=0)
    mixed = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]], np.uint8).repeat(10, axis=0)
    ids = [f"unseen_clean/solo/x-{row:04d}" for row in range(60)]
    ids += [f"unseen_clean/mixture/{labels.sum()}-{row:04d}" for row, labels in enumerate(mixed)]
    write_set(tmp_path / "unseen_clean.h5", ids, np.concatenate([solo, mixed]))
    write_set(tmp_path / "recordings.h5", [f"recordings/solo/x-{row}" for row in range(20)], solo[20:40], seed=1)
    return [part for name in ("recordings", "unseen_clean") for part in predicted(tmp_path / f"{name}.h5")]


def test_solo_clips_and_mixtures_are_told_apart(parts):
    assert [(part.test_set, part.kind, len(part.labels)) for part in parts] == [
        ("recordings", "solo", 20),
        ("unseen_clean", "solo", 60),
        ("unseen_clean", "mixtures", 40),
    ]
    assert all((part.labels.sum(axis=1) == 1).all() for part in parts[:2])
    assert np.bincount(parts[2].labels.sum(axis=1)).tolist() == [10, 10, 10, 10]


def test_batches_change_nothing(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(test_sets, "BATCH", 7)
    again = predicted(tmp_path / "unseen_clean.h5")
    for first, second in zip(parts[1:], again, strict=True):
        np.testing.assert_array_equal(first.presence, second.presence)
        np.testing.assert_array_equal(first.count, second.count)


def test_silence_holds_nothing_whatever_the_model_says(tmp_path):
    class Sure(Loudest):
        def predict(self, features):
            return np.full((len(features), 3), 0.9, np.float32), np.eye(4, dtype=np.float32)[[2] * len(features)]

    path = tmp_path / "set.h5"
    with hdf5.create(
        path,
        name="features",
        shape=(2, 3, 1),
        dtype=np.float16,
        ids=["a", "b"],
        labels=np.zeros((2, 3), np.uint8),
        classes=CLASSES,
    ) as writer:
        writer.append(np.stack([np.zeros((2, 3, 1)), np.eye(2, 3)[..., np.newaxis]]).astype(np.float16))
    with hdf5.open_store(path) as clips:
        presence, count = test_sets.outputs(clips, np.arange(2), Sure())
    np.testing.assert_allclose(presence, [[0] * 3, [0.9] * 3], rtol=1e-6)
    assert count.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]


def test_json_holds_every_metric_with_its_interval(parts, tmp_path):
    given = test_sets.write(tmp_path / "metrics", parts, **SETTINGS)
    written = json.loads((tmp_path / "metrics" / "test.json").read_text())
    assert written == given
    assert list(written) == ["recordings", "unseen_clean"]
    assert list(written["recordings"]) == ["solo"]
    solo, mixtures = written["unseen_clean"]["solo"], written["unseen_clean"]["mixtures"]
    averages = {f"{mean}_{name}" for mean in ("micro", "macro") for name in ("f1", "precision", "recall")}
    assert set(solo) == {"clips", "top1", "macro_f1", "macro_precision", "macro_recall", "loss", "intervals"}
    assert set(mixtures) == {
        *("clips", *averages, "exact_set", "lrap", "intervals"),
        *("count_accuracy", "count_macro_f1", "count_macro_precision", "count_macro_recall"),
        *("total_accuracy", *(f"by_count_{name}" for name in averages)),
    }
    assert (solo["clips"], mixtures["clips"]) == (60, 40)
    assert solo["top1"] == round(float(metrics.top1(parts[1].labels, parts[1].presence)), 4)
    for part in (solo, mixtures):
        assert set(part["intervals"]) == set(part) - {"clips", "intervals"}
        for name, (low, high) in part["intervals"].items():
            assert low <= part[name] <= high
            assert low < high


def test_the_loss_is_that_of_the_task(parts, tmp_path):
    """Keras's own, of the output `presence`."""
    (alone,) = predicted(tmp_path / "unseen_clean.h5", Loudest(counts=False), "solo")
    shared_out = replace(alone, presence=alone.presence / alone.presence.sum(axis=1, keepdims=True))
    for part, loss in (
        (parts[1], keras.losses.binary_crossentropy),
        (shared_out, keras.losses.categorical_crossentropy),
    ):
        expected = np.mean(loss(part.labels.astype(np.float32), part.presence))
        solo = test_sets.summary([part], **SETTINGS)["unseen_clean"]["solo"]
        assert solo["loss"] == pytest.approx(expected, abs=1e-4)
        assert solo["intervals"]["loss"][0] < solo["loss"] < solo["intervals"]["loss"][1]


def test_every_class_of_every_part_has_its_figures(parts, tmp_path):
    test_sets.write(tmp_path, parts, **SETTINGS)
    rows = rows_of(tmp_path / "per_class.csv")
    assert list(rows[0]) == ["set", "part", "class", "precision", "recall", "f1", "support"]
    assert [row["class"] for row in rows] == list(CLASSES) * 3
    mixtures = [row for row in rows if row["part"] == "mixtures"]
    assert [int(row["support"]) for row in mixtures] == [20, 30, 10]
    expected = metrics.per_class(parts[2].labels, metrics.decide(parts[2].presence, THRESHOLDS))
    for row, (precision, recall, f1, _) in zip(mixtures, expected, strict=True):
        assert [row["precision"], row["recall"], row["f1"]] == [f"{x:.4f}" for x in (precision, recall, f1)]


def test_the_same_predictions_give_the_same_bytes(parts, tmp_path):
    for name in ("once", "twice"):
        test_sets.write(tmp_path / name, parts, **SETTINGS)
    for path in (tmp_path / "once").rglob("*.*"):
        twin = tmp_path / "twice" / path.relative_to(tmp_path / "once")
        assert path.read_bytes() == twin.read_bytes(), path


def test_the_seed_moves_intervals_only(parts):
    first, second = (test_sets.summary(parts, seed=seed, rounds=50)["unseen_clean"]["solo"] for seed in (1, 2))
    assert first.pop("intervals") != second.pop("intervals")
    assert first == second


def test_a_clip_of_its_own_is_unchanged_to_the_bit(parts, tmp_path):
    with hdf5.open_store(tmp_path / "unseen_clean.h5") as clips:
        presence, count = Loudest().predict(clips.read(0, len(clips)))
    assert np.concatenate([parts[1].presence, parts[2].presence]).tobytes() == presence.tobytes()
    assert np.concatenate([parts[1].count, parts[2].count]).tobytes() == count.tobytes()


def test_windows_of_solo_recordings_are_summed_up_too(tmp_path):
    labels = np.eye(3, dtype=np.uint8).repeat(4, axis=0)
    ids = [f"recordings/solo/{file}.wav@{onset:07.2f}" for file in range(6) for onset in (0, 3)]
    write_set(tmp_path / "recordings.h5", ids, labels)
    (part,) = predicted(tmp_path / "recordings.h5")
    assert part.labels.argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_model_of_solo_clips_is_asked_about_them_alone(parts, tmp_path):
    classifier = Loudest(counts=False)
    (part,) = predicted(tmp_path / "unseen_clean.h5", classifier, "solo")
    assert (part.kind, len(part.labels), classifier.asked) == ("solo", 60, 60)
    np.testing.assert_array_equal(part.presence, parts[1].presence)
    write_set(tmp_path / "irmas.h5", ["irmas/excerpt/0.wav@0000.00"], np.array([[1, 1, 0]], np.uint8))
    assert predicted(tmp_path / "irmas.h5", classifier, "solo") == []
    assert classifier.asked == 60


def test_programs_answer_for_the_instruments_of_a_set(tmp_path):
    """Cello is program 42, flute 73; piano's two programs have thresholds of their own."""
    programs = ("gm_000", "gm_042", "gm_001", "gm_073")
    rows = np.array([[0.3, 0.1, 0.4, 0.2], [0.2, 0.9, 0.45, 0.1]])[:, None, :, None]
    labels = np.array([[0, 0, 1], [1, 0, 0]], np.uint8)
    with hdf5.create(
        tmp_path / "few.h5",
        name="features",
        shape=rows.shape[1:],
        dtype=np.float64,
        ids=["few/solo/a", "few/solo/b"],
        labels=labels,
        classes=("cello", "flute", "piano"),
    ) as writer:
        writer.append(rows)
    (part,) = predicted(tmp_path / "few.h5", Loudest(programs, (0.25, 0.5, 0.5, 0.5)))
    assert part.classes == ("cello", "flute", "piano")
    np.testing.assert_allclose(part.presence, [[0.1, 0.2, 0.4], [0.9, 0.1, 0.45]], rtol=1e-6)
    assert part.decisions.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_set_that_no_class_answers_for_is_refused(tmp_path):
    write_set(tmp_path / "odd.h5", ["odd/solo/x-0"], np.array([[1, 0]], np.uint8), classes=("cello", "organ"))
    with refused("class-missing", "", "organ", "`dvc repro`"):
        predicted(tmp_path / "odd.h5")


def test_a_set_without_clips_is_left_out(tmp_path):
    write_set(tmp_path / "recordings.h5", [], np.zeros((0, 3), np.uint8))
    assert predicted(tmp_path / "recordings.h5") == []


def test_every_set_but_training_is_predicted(tmp_path):
    for name in ("train", "valid", "recordings"):
        write_set(tmp_path / f"{name}.h5", [f"{name}/solo/x"], np.array([[0, 1, 0]], np.uint8))
    songs = {f"{name}/solo/x": name for name in ("valid", "recordings")}
    found = test_sets.predict_all(tmp_path, Loudest(), task="solo", songs=songs)
    assert {name: [part.test_set for part in parts] for name, parts in found.items()} == {
        "recordings": ["recordings"],
        "valid": ["valid"],
    }
    (tmp_path / "recordings.h5").unlink()
    with refused("test-set-missing", tmp_path, "task solo", "balance.composed_per_class"):
        test_sets.predict_all(tmp_path, Loudest(), task="solo", songs=songs)
