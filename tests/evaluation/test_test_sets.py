"""From a test set's spectrograms to the files in metrics/."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from instrec.evaluation import metrics, test_sets
from instrec.util import hdf5
from tests.evaluation.loudest import CLASSES, THRESHOLDS, Loudest, predicted, write_set
from tests.refusals import refused

PROTOCOLS = [f"{aggregation}_{choice}" for aggregation in ("s1", "s2", "logits") for choice in ("global", "class")]
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


@pytest.fixture
def excerpts(tmp_path):
    """The file of a set of 24 excerpts, three windows each, two excerpts a song."""
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], np.uint8).repeat(8, axis=0)
    ids = [f"irmas/excerpt/{file:02d}.wav@{onset:07.2f}" for file in range(24) for onset in (0, 1.5, 3)]
    write_set(tmp_path / "irmas.h5", ids, labels.repeat(3, axis=0), seed=2)
    return tmp_path / "irmas.h5"


def song_of_excerpt(clip):
    return f"song-{int(clip.split('/')[2][:2]) // 2}"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


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


def test_windows_of_one_file_are_one_file(excerpts):
    (part,) = predicted(excerpts, song=song_of_excerpt)
    assert (part.kind, part.labels.shape) == ("excerpts", (24, 3))
    with hdf5.open_store(excerpts) as clips:
        windows, counts = Loudest().predict(clips.read(0, len(clips)))
        assert part.labels.tolist() == clips.labels[::3].tolist()
    np.testing.assert_allclose(part.presence, windows.reshape(24, 3, 3).mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(part.count, counts.reshape(24, 3, 4).mean(axis=1), rtol=1e-6)
    assert part.songs == tuple(f"song-{file // 2}" for file in range(24))


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


def test_excerpts_are_read_by_every_protocol(excerpts, tmp_path):
    part = predicted(excerpts, song=song_of_excerpt)[0]
    table = test_sets.write(tmp_path / "metrics", [part], **SETTINGS)["irmas"]["excerpts"]
    assert table["clips"] == 24
    mixtures = metrics.mixtures(part.labels, part.presence, part.decisions, part.count)
    assert table.keys() == mixtures.keys() | {"clips", "intervals", "windows", *PROTOCOLS}
    assert all(table[name] == pytest.approx(float(value), abs=1e-4) for name, value in mixtures.items())
    for name in PROTOCOLS:
        figures = table[name]
        assert figures["clips"] == 12
        assert figures["micro_f1"] > 0.5
        assert figures["intervals"]["micro_f1"][0] <= figures["micro_f1"] <= figures["intervals"]["micro_f1"][1]
        if name.endswith("global"):
            assert 0 < figures["threshold"] < 1
        else:
            assert list(figures["thresholds"]) == list(CLASSES)


def test_classes_of_every_protocol_have_their_figures(excerpts, tmp_path):
    part = predicted(excerpts, song=song_of_excerpt)[0]
    table = test_sets.write(tmp_path, [part], **SETTINGS)["irmas"]["excerpts"]
    rows = rows_of(tmp_path / "per_class.csv")
    assert len(rows) == 8 * len(CLASSES)
    for name in PROTOCOLS:
        own = [row for row in rows if row["part"] == f"excerpts.{name}"]
        occurring = [float(row["f1"]) for row in own if int(row["support"])]
        assert np.mean(occurring) == pytest.approx(table[name]["macro_f1"], abs=2e-4)


def test_every_window_of_recordings_is_measured_against_the_labels_of_its_excerpt(excerpts, tmp_path):
    part = predicted(excerpts, song=song_of_excerpt)[0]
    table = test_sets.write(tmp_path, [part], **SETTINGS)["irmas"]["excerpts"]["windows"]
    with hdf5.open_store(excerpts) as clips:
        presence, count = Loudest().predict(clips.read(0, len(clips)))
        labels = clips.labels
    counted = metrics.counted(labels, presence, count)
    assert table["clips"] == 72
    for name in ("count_accuracy", "count_macro_f1"):
        assert table[name] == pytest.approx(float(counted[name]), abs=1e-4)
    for name in ("micro_f1", "macro_f1"):
        assert table[name] == pytest.approx(float(counted[f"by_count_{name}"]), abs=1e-4)
        assert table["intervals"][name][0] < table[name] < table["intervals"][name][1]
    rows = [row for row in rows_of(tmp_path / "per_class.csv") if row["part"] == "excerpts.windows"]
    expected = metrics.per_class(labels, metrics.top_k(presence, count))
    assert [(row["f1"], int(row["support"])) for row in rows] == [(f"{f1:.4f}", clips) for _, _, f1, clips in expected]


def test_in_a_window_an_instrument_is_detected_if_one_of_the_most_probable_programs_is_its_own(tmp_path):
    """The model counts one program: the cello in the first window, in which no piano leads, a piano in the second."""
    programs, rows = ("gm_000", "gm_042", "gm_001", "gm_073"), np.array([[0.3, 0.6, 0.4, 0.2], [0.2, 0.1, 0.7, 0.1]])
    with hdf5.create(
        tmp_path / "few.h5",
        name="features",
        shape=(1, 4, 1),
        dtype=np.float64,
        ids=["few/excerpt/a@0000.00", "few/excerpt/a@0001.00"],
        labels=np.array([[1, 1], [1, 1]], np.uint8),
        classes=("cello", "piano"),
    ) as writer:
        writer.append(rows[:, None, :, None])
    (part,) = predicted(tmp_path / "few.h5", Loudest(programs, (0.25,) * 4))
    assert part.windows.decisions.tolist() == [[1, 0], [0, 1]]
    (alone,) = predicted(tmp_path / "few.h5", Loudest(programs, (0.25,) * 4, counts=False), "multilabel")
    assert alone.windows.decisions.tolist() == [[1, 1], [0, 1]]


def test_the_frozen_excerpts_are_measured_as_files_alone(excerpts):
    with hdf5.open_store(excerpts) as clips:
        songs = dict.fromkeys(clips.ids, "song")
        (part,) = test_sets.predict("unseen_excerpts", clips, Loudest(), task="count_presence", songs=songs)
    assert part.windows is None
    assert "windows" not in test_sets.summary([part], **SETTINGS)["unseen_excerpts"]["excerpts"]


def test_a_task_without_counting_has_no_metrics_of_it(excerpts, tmp_path):
    parts = predicted(excerpts, Loudest(counts=False), "multilabel")
    table = test_sets.summary(parts, **SETTINGS)["irmas"]["excerpts"]
    assert parts[0].count is None
    assert not [name for name in table if "count" in name or "total" in name]
    assert "lrap" in table


def test_a_model_of_solo_clips_is_asked_about_them_alone(parts, excerpts, tmp_path):
    classifier = Loudest(counts=False)
    (part,) = predicted(tmp_path / "unseen_clean.h5", classifier, "solo")
    assert (part.kind, len(part.labels), classifier.asked) == ("solo", 60, 60)
    np.testing.assert_array_equal(part.presence, parts[1].presence)
    assert predicted(excerpts, classifier, "solo") == []
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


def test_a_set_of_another_manifest_is_refused(excerpts):
    with hdf5.open_store(excerpts) as clips, refused("test-set-outdated", "irmas", "`dvc repro`"):
        test_sets.predict("irmas", clips, Loudest(), task="multilabel", songs={})


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
