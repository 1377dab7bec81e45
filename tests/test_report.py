"""From a test set's spectrograms to the files in metrics/."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from instrec import metrics, report, store
from instrec.errors import UserError

CLASSES = ("cello", "drums", "flute")
THRESHOLDS = (0.5, 0.4, 0.6)
SETTINGS = {"classes": CLASSES, "thresholds": THRESHOLDS, "rounds": 50, "seed": 7}


class Loudest:
    """A classifier of a few lines: a class is as present as its column of the features is loud."""

    card = SimpleNamespace(classes=CLASSES)

    def predict(self, features):
        presence = features.mean(axis=(1, 3)).astype(np.float32)
        count = np.eye(4, dtype=np.float32)[(presence > 0.5).sum(axis=1)]
        return presence, count


def write_set(path, ids, labels, seed=0, classes=CLASSES):
    """Write spectrograms of two frames and a bin a class that show the labels through some noise."""
    noise = np.random.default_rng(seed).uniform(-0.4, 0.4, labels.shape)
    rows = np.clip(0.5 * labels + 0.25 + noise, 0, 1).astype(np.float16)[:, None, :, None].repeat(2, axis=1)
    with store.create(
        path, name="features", shape=rows.shape[1:], dtype=np.float16, ids=ids, labels=labels, classes=classes
    ) as writer:
        writer.append(rows)


@pytest.fixture
def parts(tmp_path):
    """What the classifier makes of a set with solo clips and mixtures, and of one with solo clips only."""
    solo = np.eye(3, dtype=np.uint8).repeat(20, axis=0)
    mixed = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]], np.uint8).repeat(10, axis=0)
    ids = [f"unseen_clean/solo/x-{row:04d}" for row in range(60)]
    ids += [f"unseen_clean/mixture/{labels.sum()}-{row:04d}" for row, labels in enumerate(mixed)]
    write_set(tmp_path / "unseen_clean.h5", ids, np.concatenate([solo, mixed]))
    write_set(tmp_path / "recordings.h5", [f"recordings/solo/x-{row}" for row in range(20)], solo[20:40], seed=1)
    predicted = []
    for name in ("recordings", "unseen_clean"):
        with store.open_store(tmp_path / f"{name}.h5") as clips:
            predicted += report.predict(name, clips, Loudest())
    return predicted


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
    monkeypatch.setattr(report, "BATCH", 7)
    with store.open_store(tmp_path / "unseen_clean.h5") as clips:
        again = report.predict("unseen_clean", clips, Loudest())
    for first, second in zip(parts[1:], again, strict=True):
        np.testing.assert_array_equal(first.presence, second.presence)
        np.testing.assert_array_equal(first.count, second.count)


def test_json_holds_every_metric_with_its_interval(parts, tmp_path):
    given = report.write(tmp_path / "metrics", parts, **SETTINGS)
    written = json.loads((tmp_path / "metrics" / "test.json").read_text())
    assert written == given
    assert list(written) == ["recordings", "unseen_clean"]
    assert list(written["recordings"]) == ["solo"]
    solo, mixtures = written["unseen_clean"]["solo"], written["unseen_clean"]["mixtures"]
    assert set(solo) == {"clips", "top1", "macro_f1", "intervals"}
    assert set(mixtures) - set(solo) == {"micro_f1", "count_accuracy", "exact_set", "lrap"}
    assert (solo["clips"], mixtures["clips"]) == (60, 40)
    assert solo["top1"] == round(float(metrics.top1(parts[1].labels, parts[1].presence)), 4)
    for part in (solo, mixtures):
        for name, (low, high) in part["intervals"].items():
            assert low <= part[name] <= high
            assert low < high


def test_every_class_of_every_part_has_its_figures(parts, tmp_path):
    report.write(tmp_path, parts, **SETTINGS)
    rows = rows_of(tmp_path / "per_class.csv")
    assert list(rows[0]) == ["set", "part", "class", "precision", "recall", "f1", "support"]
    assert [row["class"] for row in rows] == list(CLASSES) * 3
    mixtures = [row for row in rows if row["part"] == "mixtures"]
    assert [int(row["support"]) for row in mixtures] == [20, 30, 10]
    expected = metrics.per_class(parts[2].labels, metrics.decide(parts[2].presence, THRESHOLDS))
    for row, (precision, recall, f1, _) in zip(mixtures, expected, strict=True):
        assert [row["precision"], row["recall"], row["f1"]] == [f"{x:.4f}" for x in (precision, recall, f1)]


def test_plot_data(parts, tmp_path):
    report.write(tmp_path, parts, **SETTINGS)
    plots = tmp_path / "plots"
    assert sorted(path.name for path in plots.iterdir()) == [
        "confusion_recordings.csv",
        "confusion_unseen_clean.csv",
        "f1_recordings.csv",
        "f1_unseen_clean.csv",
    ]
    confusion = rows_of(plots / "confusion_unseen_clean.csv")
    assert [row["actual"] for row in confusion] == [name for name in CLASSES for _ in range(20)]
    right = np.mean([row["actual"] == row["predicted"] for row in confusion])
    assert right == pytest.approx(float(metrics.top1(parts[1].labels, parts[1].presence)))
    rows = [row for row in rows_of(tmp_path / "per_class.csv") if row["set"] == "recordings"]
    assert rows_of(plots / "f1_recordings.csv") == [{"class": row["class"], "f1": row["f1"]} for row in rows]


def test_the_same_predictions_give_the_same_bytes(parts, tmp_path):
    for name in ("once", "twice"):
        report.write(tmp_path / name, parts, **SETTINGS)
    for path in (tmp_path / "once").rglob("*.*"):
        twin = tmp_path / "twice" / path.relative_to(tmp_path / "once")
        assert path.read_bytes() == twin.read_bytes(), path


def test_the_seed_moves_intervals_only(parts):
    common = {"thresholds": THRESHOLDS, "rounds": 50}
    first, second = (report.summary(parts, seed=seed, **common)["unseen_clean"]["solo"] for seed in (1, 2))
    assert first.pop("intervals") != second.pop("intervals")
    assert first == second


def test_a_model_of_other_classes_is_refused(tmp_path):
    write_set(tmp_path / "odd.h5", ["odd/solo/x-0"], np.array([[1, 0]], np.uint8), classes=("cello", "organ"))
    with (
        store.open_store(tmp_path / "odd.h5") as clips,
        pytest.raises(UserError, match="odd: made for other"),
    ):
        report.predict("odd", clips, Loudest())


def test_a_set_without_clips_is_left_out(tmp_path):
    write_set(tmp_path / "recordings.h5", [], np.zeros((0, 3), np.uint8))
    with store.open_store(tmp_path / "recordings.h5") as clips:
        assert report.predict("recordings", clips, Loudest()) == []
