"""Test sets of excerpts: their windows are taken together, and read by every protocol."""

from __future__ import annotations

import numpy as np
import pytest

from instrec.evaluation import metrics, test_sets
from instrec.util import hdf5
from tests.evaluation.loudest import CLASSES, Loudest, predicted, write_set
from tests.evaluation.tables import rows_of
from tests.refusals import refused

PROTOCOLS = [f"{aggregation}_{choice}" for aggregation in ("s1", "s2", "logits") for choice in ("global", "class")]
SETTINGS = {"rounds": 50, "seed": 7}


@pytest.fixture
def excerpts(tmp_path):
    """The file of a set of 24 excerpts, three windows each, two excerpts a song."""
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], np.uint8).repeat(8, axis=0)
    ids = [f"irmas/excerpt/{file:02d}.wav@{onset:07.2f}" for file in range(24) for onset in (0, 1.5, 3)]
    write_set(tmp_path / "irmas.h5", ids, labels.repeat(3, axis=0), seed=2)
    return tmp_path / "irmas.h5"


def song_of_excerpt(clip):
    return f"song-{int(clip.split('/')[2][:2]) // 2}"


def test_windows_of_one_file_are_one_file(excerpts):
    (part,) = predicted(excerpts, song=song_of_excerpt)
    assert (part.kind, part.labels.shape) == ("excerpts", (24, 3))
    with hdf5.open_store(excerpts) as clips:
        windows, counts = Loudest().predict(clips.read(0, len(clips)))
        assert part.labels.tolist() == clips.labels[::3].tolist()
    np.testing.assert_allclose(part.presence, windows.reshape(24, 3, 3).mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(part.count, counts.reshape(24, 3, 4).mean(axis=1), rtol=1e-6)
    assert part.songs == tuple(f"song-{file // 2}" for file in range(24))


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


def test_a_set_of_another_manifest_is_refused(excerpts):
    with hdf5.open_store(excerpts) as clips, refused("test-set-outdated", "irmas", "`dvc repro`"):
        test_sets.predict("irmas", clips, Loudest(), task="multilabel", songs={})
