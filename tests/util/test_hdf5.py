"""The store: what goes in comes out, byte for byte; misuse is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.util import hdf5
from tests.refusals import refused
from tests.util.hdf5_rows import CLASSES, labels_of, rows_of, written


@pytest.mark.parametrize("compression", [{}, hdf5.GZIP])
@pytest.mark.parametrize(("count", "chunk_rows"), [(0, 1), (1, 64), (10, 1), (10, 4), (64, 64)])
@pytest.mark.parametrize("dtype", [np.int16, np.float16])
def test_round_trip(tmp_path, compression, count, chunk_rows, dtype):
    path, rows = tmp_path / "deep" / "train.h5", rows_of(count, dtype=dtype)
    ids = written(path, rows, chunk_rows=chunk_rows, compression=compression, sample_rate=22050)
    with hdf5.open_store(path) as clips:
        assert clips.ids == ids
        assert clips.classes == CLASSES
        assert clips.labels.dtype == np.uint8
        assert np.array_equal(clips.labels, labels_of(count))
        assert clips.attrs == {"name": "features", "sample_rate": 22050}
        assert (len(clips), clips.shape, clips.dtype) == (count, (5, 3, 1), dtype)
        assert np.array_equal(clips.read(0, count), rows)
        assert clips.read(0, count).dtype == dtype


def test_unknown_labels_come_back_and_are_zeros_where_there_are_none(tmp_path):
    unknown = np.zeros((6, 2), np.uint8)
    for name, given_ in (("older", {}), ("known", {"unknown": unknown}), ("unknown", {"unknown": 1 - labels_of(6)})):
        written(tmp_path / name, rows_of(6), **given_)
        with hdf5.open_store(tmp_path / name) as clips:
            assert clips.unknown.dtype == np.uint8
            assert np.array_equal(clips.unknown, given_.get("unknown", unknown))
            assert np.array_equal(clips.labels, labels_of(6))
    assert (tmp_path / "older").read_bytes() == (tmp_path / "known").read_bytes()  # as before there were unknown labels


@pytest.mark.parametrize("unknown", [np.ones((6, 1), np.uint8), np.ones((6, 2), np.uint8)])
def test_unknown_labels_of_another_shape_or_of_what_sounds_are_refused(tmp_path, unknown):
    with pytest.raises(ValueError, match="unknown of shape"):
        written(tmp_path / "train.h5", rows_of(6), unknown=unknown)


@settings(max_examples=30)
@given(data=st.data(), count=st.integers(0, 40), chunk_rows=st.integers(1, 20))
def test_how_rows_are_appended_changes_no_byte(tmp_path_factory, data, count, chunk_rows):
    folder, rows = tmp_path_factory.mktemp("store"), rows_of(count)
    pieces = sorted(data.draw(st.lists(st.integers(0, count), max_size=6)))
    written(folder / "whole.h5", rows, chunk_rows=chunk_rows)
    written(folder / "pieces.h5", rows, pieces, chunk_rows=chunk_rows)
    assert (folder / "whole.h5").read_bytes() == (folder / "pieces.h5").read_bytes()


@settings(max_examples=30)
@given(indices=st.sets(st.integers(0, 36)), chunk_rows=st.sampled_from([1, 5, 64]))
def test_read_rows_gives_the_rows_asked_for(tmp_path_factory, indices, chunk_rows):
    path, rows = tmp_path_factory.mktemp("store") / "valid.h5", rows_of(37)
    written(path, rows, chunk_rows=chunk_rows)
    wanted = np.array(sorted(indices), dtype=int)
    with hdf5.open_store(path) as clips:
        assert np.array_equal(clips.read_rows(wanted), rows[wanted])


@pytest.mark.parametrize("size", [1, 7, 10, 99])
def test_batches_cover_all_rows_in_order(tmp_path, size):
    path, rows = tmp_path / "valid.h5", rows_of(10)
    written(path, rows)
    with hdf5.open_store(path) as clips:
        batches = list(clips.batches(size))
    assert np.array_equal(np.concatenate(batches), rows)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)


def test_nothing_is_left_when_rows_are_missing_or_the_work_breaks_off(tmp_path):
    path = tmp_path / "train.h5"
    options = {"name": "audio", "shape": (4,), "dtype": np.int16, "labels": labels_of(3), "classes": CLASSES}
    rows = rows_of(2, (4,), np.int16)
    with (
        pytest.raises(ValueError, match="2 rows for 3 ids"),
        hdf5.create(path, ids=["a", "b", "c"], **options) as writer,
    ):
        writer.append(rows)
    with pytest.raises(KeyboardInterrupt), hdf5.create(path, ids=["a", "b", "c"], **options):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_older_store_stays_when_the_work_breaks_off(tmp_path):
    path, rows = tmp_path / "train.h5", rows_of(3)
    written(path, rows)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="0 rows for 3 ids"):
        written_without_rows(path)
    assert path.read_bytes() == before


def written_without_rows(path):
    with hdf5.create(
        path,
        name="features",
        shape=(5, 3, 1),
        dtype=np.float16,
        ids=["a", "b", "c"],
        labels=labels_of(3),
        classes=CLASSES,
    ):
        pass


def test_rows_that_do_not_fit_are_refused(tmp_path):
    options = {"name": "audio", "dtype": np.int16, "labels": labels_of(3), "classes": CLASSES}
    rows = rows_of(4, (4,), np.int16)
    for bad, said in ((rows, "more rows than the 3 ids"), (rows[:, :3], r"rows of shape \(3,\)")):
        with (
            pytest.raises(ValueError, match=said),
            hdf5.create(tmp_path / "a.h5", shape=(4,), ids=["a", "b", "c"], **options) as writer,
        ):
            writer.append(bad)
    with (
        pytest.raises(ValueError, match="labels of shape"),
        hdf5.create(tmp_path / "a.h5", shape=(4,), ids=["a"], **options),
    ):
        pass


def test_a_readers_own_error_is_not_taken_for_damage(tmp_path):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(2))
    with pytest.raises(ValueError, match="mine"), hdf5.open_store(path):
        raise ValueError("mine")


def test_a_place_that_cannot_be_written_is_the_users_to_mend(tmp_path):
    (tmp_path / "train.h5").mkdir()
    with refused("file-unwritable", tmp_path / "train.h5"):
        written(tmp_path / "train.h5", rows_of(2))
