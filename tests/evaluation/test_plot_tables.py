"""What is drawn of a model: tables of known predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from instrec.evaluation import metrics, plot_tables, protocols, test_sets
from tests.evaluation.tables import rows_of

CLASSES = ("cello", "drums", "flute")
SETTINGS = {"rounds": 200, "seed": 7}
THRESHOLDS = (0.5, 0.4, 0.6)


def part_of(labels, kind="solo", test_set="unseen_clean", seed=0) -> test_sets.Part:
    """What a model might make of clips: their labels, through noise that misleads it now and then."""
    noise = np.random.default_rng(seed).uniform(-0.45, 0.45, labels.shape)
    presence = np.clip(0.4 * labels + 0.3 + noise, 0, 1).astype(np.float32)
    decisions = metrics.decide(presence, THRESHOLDS)
    songs = tuple(str(row) for row in range(len(labels)))
    return test_sets.Part(test_set, kind, CLASSES, labels, presence, decisions, None, presence, songs, exclusive=False)


def solo(clips=20, **options) -> test_sets.Part:
    return part_of(np.eye(3, dtype=np.uint8).repeat(clips, axis=0), **options)


def mixtures(**options) -> test_sets.Part:
    labels = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]], np.uint8).repeat(10, axis=0)
    return part_of(labels, kind="mixtures", **options)


@pytest.fixture
def folder(tmp_path) -> Path:
    """The tables of a test set with solo clips and mixtures, and of validation data."""
    validation = [solo(test_set="valid", seed=1), mixtures(test_set="valid", seed=2)]
    plot_tables.write(tmp_path, [solo(), mixtures()], validation, THRESHOLDS, **SETTINGS)
    return tmp_path


def test_confusion_has_a_row_a_solo_clip(folder):
    rows = rows_of(folder / "confusion_unseen_clean.csv")
    assert [row["actual"] for row in rows] == [name for name in CLASSES for _ in range(20)]
    right = np.mean([row["actual"] == row["predicted"] for row in rows])
    assert right == float(metrics.top1(solo().labels, solo().presence))


def test_without_solo_clips_the_confusion_is_of_mixtures_of_one_instrument(tmp_path):
    part = mixtures(test_set="composed_clean")
    plot_tables.write(tmp_path, [part], [], THRESHOLDS, **SETTINGS)
    rows = rows_of(tmp_path / "confusion_composed_clean.csv")
    assert [row["actual"] for row in rows] == ["drums"] * 10
    assert [row["predicted"] for row in rows] == [CLASSES[row.argmax()] for row in part.presence[10:20]]


def test_f1_of_a_class_lies_in_its_interval(folder):
    rows = rows_of(folder / "f1_unseen_clean.csv")
    expected = metrics.per_class(solo().labels, metrics.strongest(solo().presence))
    for row, name, (_, _, f1, clips) in zip(rows, CLASSES, expected, strict=True):
        assert row["class"] == name
        assert (row["f1"], row["clips"]) == (f"{f1:.4f}", str(clips))
        assert 0 < float(row["low"]) < float(row["f1"]) < float(row["high"]) <= 1


def test_each_number_of_instruments_has_a_row():
    """Six clips, worked out by hand; none has two instruments."""
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]], np.uint8)
    presence = np.tile([0.9, 0.5, 0.1], (6, 1))
    count = np.eye(4)[[1, 2, 3, 1, 0, 1]]
    assert list(plot_tables.by_number(labels, presence, count)) == [
        (0, 1, 1, 0, 0, pytest.approx(2 / (1 + 2)), 0),
        (1, 0, 1, 1, 0, pytest.approx(2 / (3 + 2)), pytest.approx(2 * 2 / (3 + 2))),
        (3, 0, 1, 0, 1, pytest.approx(2 / (1 + 2)), pytest.approx(2 * 4 / (4 + 6))),
    ]


def test_numbers_of_instruments_are_written_where_a_model_counts(tmp_path):
    rng = np.random.default_rng(3)
    part = mixtures()
    counting = replace(part, count=rng.random((len(part.labels), 4)), test_set="seen_clean")
    plot_tables.write(tmp_path, [solo(), part, counting], [], THRESHOLDS, **SETTINGS)
    assert [path.name for path in tmp_path.glob("counts_*")] == ["counts_seen_clean.csv"]
    rows = rows_of(tmp_path / "counts_seen_clean.csv")
    whole = metrics.counted(counting.labels, counting.presence, counting.count)
    assert np.mean([float(row["f1"]) for row in rows]) == pytest.approx(whole["count_macro_f1"], abs=1e-4)
    right = sum(int(row[f"predicted_{row['actual']}"]) for row in rows)
    assert right / len(part.labels) == pytest.approx(whole["count_accuracy"])


def test_more_clips_make_narrower_intervals():
    def width(part):
        return np.mean([high - low for _, _, low, high, _ in plot_tables.f1_by_class(part, **SETTINGS)])

    assert width(solo(300)) < 0.6 * width(solo(20))


def test_a_class_without_clips_has_no_f1():
    part = part_of(np.array([[1, 0, 0], [0, 0, 1]], np.uint8))
    assert [row[0] for row in plot_tables.f1_by_class(part, **SETTINGS)] == ["cello", "flute"]


def test_f1_of_a_class_is_resampled_as_its_mean_is():
    """The macro average of resampled classes is the resampled macro average, of which test.json has the interval."""
    part = solo()
    weights = np.random.default_rng(3).multinomial(60, np.full(60, 1 / 60), size=5)
    mean = metrics.class_f1(part.labels, metrics.strongest(part.presence), weights).mean(axis=1)
    np.testing.assert_allclose(mean, metrics.solo(part.labels, part.presence, weights)["macro_f1"])


@given(st.integers(1, 40).flatmap(lambda n: arrays(np.float32, (n, 3), elements=st.floats(0, 1, width=32))))
def test_calibration_counts_every_decision_once(presence):
    labels = (presence > 0.5).astype(np.uint8)
    rows = list(plot_tables.calibration(labels, presence))
    assert sum(row[4] for row in rows) == presence.size
    assert sum(row[0] * row[4] for row in rows) == pytest.approx(float(presence.sum(dtype=float)), rel=1e-6, abs=1e-9)
    assert sum(row[1] * row[4] for row in rows) == pytest.approx(labels.sum())
    assert all(0 <= low <= observed <= high <= 1 for _, observed, low, high, _ in rows)


def test_a_calibrated_model_lies_on_the_diagonal():
    rng = np.random.default_rng(5)
    presence = rng.uniform(0, 1, (5000, 3)).astype(np.float32)
    labels = (rng.uniform(0, 1, presence.shape) < presence).astype(np.uint8)
    rows = list(plot_tables.calibration(labels, presence))
    assert len(rows) == 10
    assert sum(low <= predicted <= high for predicted, _, low, high, _ in rows) >= 8


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_its_interval_is_scipy_s(hits, trials):
    hits = min(hits, trials)
    expected = binomtest(hits, trials).proportion_ci(method="wilson")
    assert plot_tables.wilson(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_calibration_takes_a_set_s_kinds_together(folder):
    rows = rows_of(folder / "calibration_unseen_clean.csv")
    assert sum(int(row["decisions"]) for row in rows) == (60 + 40) * 3
    assert (folder / "calibration_valid.csv").exists()


def test_the_sweep_is_of_validation_data_alone(folder, tmp_path):
    other = tmp_path / "other"
    validation = [solo(test_set="valid", seed=1), mixtures(test_set="valid", seed=2)]
    plot_tables.write(other, [solo(seed=9)], validation, THRESHOLDS, **SETTINGS)
    for name in ("sweep_valid.csv", "class_sweep_valid.csv", "thresholds.csv"):
        assert (other / name).read_bytes() == (folder / name).read_bytes()


def test_the_sweep_ends_where_nothing_is_found():
    labels, presence = np.array([[1, 0, 0], [0, 1, 1]]), np.array([[0.705, 0.2, 0.1], [0.3, 0.6, 0.705]])
    rows = list(plot_tables.sweep(labels, presence))
    assert [row[0] for row in rows] == pytest.approx(np.arange(71) / 100)
    assert rows[0][1:4] == (0.5, 1, pytest.approx(2 / 3))
    assert rows[50][1:] == (1, 1, 1, 1, 1, 1)
    assert rows[65][1:] == pytest.approx((1, 2 / 3, 0.8, 2 / 3, 2 / 3, 2 / 3))
    of_classes = list(plot_tables.class_sweep(labels, presence))
    assert [row[0] for row in of_classes] == [row[0] for row in rows]
    assert of_classes[65][1:] == (1, 0, 1)
    for (_, *averages), (_, *f1) in zip(rows, of_classes, strict=True):
        assert averages[-1] == pytest.approx(np.mean(f1))


def test_excerpts_are_swept_on_their_development_half_alone(tmp_path):
    """The labels of the other half change nothing."""
    part = part_of(mixtures().labels, kind="excerpts", test_set="unseen_excerpts")
    half = protocols.development_half(part.labels, part.songs, SETTINGS["seed"])
    for folder, own in (("all", part), ("half", replace(part, presence=part.presence * half[:, None]))):
        plot_tables.write(tmp_path / folder, [own], [], THRESHOLDS, **SETTINGS)
    names = [f"{score}_{kind}_unseen_excerpts.csv" for kind in ("sweep", "class_sweep") for score in ("s1", "s2")]
    for name in names:
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "half" / name).read_bytes()
    s1, s2 = (rows_of(tmp_path / "all" / name) for name in names[:2])
    assert max(float(row["f1"]) for row in s1) > 0.5
    assert float(s2[-1]["threshold"]) == 1  # which the strongest class of a file always reaches


def test_thresholds_with_what_they_give(folder):
    rows = rows_of(folder / "thresholds.csv")
    assert [(row["class"], float(row["threshold"])) for row in rows] == list(zip(CLASSES, THRESHOLDS, strict=True))
    assert [int(row["clips"]) for row in rows] == [20 + 20, 20 + 30, 20 + 10]
    assert all(0 < float(row["f1"]) < 1 for row in rows)


def test_the_same_predictions_give_the_same_bytes(folder, tmp_path):
    validation = [solo(test_set="valid", seed=1), mixtures(test_set="valid", seed=2)]
    plot_tables.write(tmp_path / "again", [solo(), mixtures()], validation, THRESHOLDS, **SETTINGS)
    names = [path.name for path in folder.glob("*.csv")]
    assert len(names) == 7
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_without_validation_clips_there_is_no_sweep(tmp_path):
    plot_tables.write(tmp_path, [mixtures(test_set="irmas")], [], THRESHOLDS, **SETTINGS)
    assert {path.name for path in tmp_path.iterdir()} == {"calibration_irmas.csv", "confusion_irmas.csv"}
