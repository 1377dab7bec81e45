"""Classes of which nothing is known in a file count for nothing in what is measured and drawn."""

import csv
import json

import numpy as np
import pytest

from instrec.evaluation import metrics, plot_tables, test_sets
from instrec.util import hdf5
from tests.evaluation.loudest import CLASSES, THRESHOLDS, Loudest, predicted, write_set

SETTINGS = {"rounds": 50, "seed": 7}
FILES, WINDOWS = 40, 3


def drawn(seed=3):
    """Labels of files and which classes are unknown, 0 or 1 [shape=(files, classes)]."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((FILES, len(CLASSES))) < 0.5).astype(np.uint8)
    return labels, ((rng.random(labels.shape) < 0.4) & (labels == 0)).astype(np.uint8)


def part_of(path, *, hidden=0.0, seed=2, classifier=None):
    """Predict excerpts of three windows whose unknown classes are as loud as `hidden` says."""
    labels, unknown = (each.repeat(WINDOWS, axis=0) for each in drawn())
    ids = [f"openmic/excerpt/{file:02d}.ogg@{onset:07.2f}" for file in range(FILES) for onset in range(WINDOWS)]
    write_set(path, ids, labels, seed=seed, unknown=unknown, hidden=hidden)
    (part,) = predicted(path, classifier, song=lambda clip: clip.split("/")[2][:2])
    return part


def tables(folder, part):
    """Return the bytes of every table of a test set that validates, too."""
    test_sets.write(folder, [part], **SETTINGS)
    plot_tables.write(folder / "plots", [part], [part], THRESHOLDS, **SETTINGS)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_what_a_model_says_of_unknown_classes_changes_no_table(tmp_path):
    silent, loud = (
        tables(tmp_path / str(hidden), part_of(tmp_path / "openmic.h5", hidden=hidden)) for hidden in (0.0, 1.0)
    )
    assert len(silent) >= 8
    assert silent == loud
    other = tables(tmp_path / "other", part_of(tmp_path / "openmic.h5", seed=4))
    assert all(silent[path] != other[path] for path in silent)


def test_each_class_is_measured_in_files_where_it_is_known(tmp_path):
    part = part_of(tmp_path / "openmic.h5", hidden=0.9)
    labels, unknown = drawn()
    known = unknown == 0
    np.testing.assert_array_equal(part.labels, labels)
    for values in (part.presence, part.logits):
        np.testing.assert_array_equal(values == metrics.UNKNOWN, ~known)
    assert (part.presence.dtype, part.logits.dtype, part.decisions.dtype) == (np.float32, np.float32, np.uint8)
    test_sets.write(tmp_path, [part], **SETTINGS)
    with (tmp_path / "per_class.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "excerpts"]
    for column, row in enumerate(rows):
        own, cut = np.flatnonzero(known[:, column]), THRESHOLDS[column]
        ((precision, recall, f1, support),) = metrics.per_class(
            labels[own, column, None], part.presence[own, column, None] >= cut
        )
        assert row == {
            **{"set": "openmic", "part": "excerpts", "class": CLASSES[column], "support": str(support)},
            **{"precision": f"{precision:.4f}", "recall": f"{recall:.4f}", "f1": f"{f1:.4f}"},
        }
    decisions = sum(row[-1] for row in plot_tables.calibration(part.labels, part.presence))
    assert decisions == known.sum()
    lowest, *_ = plot_tables.sweep(part.labels, part.presence)
    assert lowest[1] == labels.sum() / known.sum()  # precision where all that is known is detected


def test_lrap_ranks_known_classes_alone():
    labels, presence = np.array([[1, 0, 0], [0, 1, 0]]), np.array([[0.5, 0.9, 0.6], [0.0, 0.0, 0.2]])
    unknown = np.array([[0, 1, 0], [1, 0, 0]])
    assert metrics.lrap(labels, np.where(unknown, metrics.UNKNOWN, presence)) == 0.5
    assert metrics.lrap(labels, presence) == pytest.approx(1 / 3)


def test_nothing_is_counted_where_a_class_is_unknown(tmp_path):
    part = part_of(tmp_path / "openmic.h5", hidden=0.9)
    assert part.count is None
    assert part.windows.count is None
    table = test_sets.summary([part], **SETTINGS)["openmic"]["excerpts"]
    assert "windows" in table
    assert not [name for name in (*table, *table["windows"]) if "count" in name or "total" in name]
    again = part_of(tmp_path / "openmic.h5", hidden=0.9, classifier=Loudest(counts=False))
    np.testing.assert_array_equal(part.windows.decisions, again.windows.decisions)
    unknown = drawn()[1].repeat(WINDOWS, axis=0)
    assert not part.windows.decisions[unknown > 0].any()
    assert part.windows.decisions.any(axis=0).all()
    json.dumps(table)


def test_an_instrument_is_unknown_whatever_its_programs_are(tmp_path):
    programs = ("gm_000", "gm_042", "gm_001", "gm_073")
    path, classes = tmp_path / "few.h5", ("cello", "piano")
    rows = np.array([[0.9, 0.6, 0.9, 0.2], [0.2, 0.1, 0.7, 0.1]])[:, None, :, None]
    form = {"name": "features", "shape": (1, 4, 1), "dtype": np.float64, "classes": classes}
    ids, labels = ["few/excerpt/a@0000.00", "few/excerpt/b@0000.00"], np.array([[1, 0], [0, 1]], np.uint8)
    with hdf5.create(path, ids=ids, labels=labels, unknown=np.array([[0, 1], [0, 0]], np.uint8), **form) as writer:
        writer.append(rows)
    (part,) = predicted(path, Loudest(programs, (0.25,) * 4))
    assert part.presence.tolist() == [[np.float32(0.6), metrics.UNKNOWN], [np.float32(0.1), np.float32(0.7)]]
    assert part.decisions.tolist() == part.windows.decisions.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("presence", [metrics.UNKNOWN, -0.5, 1.5, np.nan])
def test_what_sounds_is_known(presence):
    metrics.validate(np.array([[0, 1]]), np.array([[metrics.UNKNOWN, 0.5]]))
    with pytest.raises(ValueError, match="presence must be within"):
        metrics.validate(np.array([[0, 1]]), np.array([[0.5, presence]]))
