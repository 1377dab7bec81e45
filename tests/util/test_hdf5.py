"""The store: what goes in comes out, byte for byte; damage and misuse are said plainly."""

import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.errors import UserError
from instrec.util import hdf5

CLASSES = ("flute", "piano")


def rows_of(count, shape=(5, 3, 1), dtype=np.float16):
    values = 100 * np.random.default_rng(count).standard_normal((count, *shape))
    return values.astype(dtype)


def labels_of(count):
    return (np.arange(2 * count).reshape(count, 2) % 3 == 0).astype(np.uint8)


def written(path, rows, pieces=(), **options):
    """Write rows in pieces that end at the given places."""
    ids = [f"train/solo/flöte-{number:04}" for number in range(len(rows))]
    with hdf5.create(
        path,
        name="features",
        shape=rows.shape[1:],
        dtype=rows.dtype,
        ids=ids,
        labels=labels_of(len(rows)),
        classes=CLASSES,
        **options,
    ) as writer:
        for piece in np.split(rows, pieces):
            writer.append(piece)
    return ids


@pytest.mark.parametrize("compression", hdf5.COMPRESSIONS)
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


@settings(max_examples=30, deadline=None)
@given(data=st.data(), count=st.integers(0, 40), chunk_rows=st.integers(1, 20))
def test_how_rows_are_appended_changes_no_byte(tmp_path_factory, data, count, chunk_rows):
    folder, rows = tmp_path_factory.mktemp("store"), rows_of(count)
    pieces = sorted(data.draw(st.lists(st.integers(0, count), max_size=6)))
    written(folder / "whole.h5", rows, chunk_rows=chunk_rows)
    written(folder / "pieces.h5", rows, pieces, chunk_rows=chunk_rows)
    assert (folder / "whole.h5").read_bytes() == (folder / "pieces.h5").read_bytes()


@settings(max_examples=30, deadline=None)
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


# ---- damage


def test_a_missing_store_names_the_stage_to_run(tmp_path):
    for folder, stage in (("audio", "synthesize"), ("spectrograms", "spectrograms")):
        path = tmp_path / folder / "train.h5"
        with (
            pytest.raises(UserError, match=rf"train.h5: missing .*`dvc repro {stage}`$"),
            hdf5.open_store(path),
        ):
            pass
    with pytest.raises(UserError, match=r"`dvc repro`$"), hdf5.open_store(tmp_path / "train.h5"):
        pass


@pytest.mark.parametrize("damage", ["empty", "text", "cut short", "folder", "other HDF5", "rows missing"])
def test_damage_is_noticed_on_opening(tmp_path, damage):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(50))
    whole = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("these are no clips")
    elif damage == "cut short":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "other HDF5":
        with h5py.File(path, "w") as file:
            file["data"] = [1, 2, 3]
    else:
        with h5py.File(path, "a") as file:
            file["data"].resize(49, axis=0)
    with pytest.raises(UserError, match=r"damaged or not a store .*synthesize"), hdf5.open_store(path):
        pass


@pytest.mark.parametrize("compression", ["none", "shuffle+gzip-1"])
def test_a_flipped_bit_is_noticed_on_reading(tmp_path, compression):
    path, rows = tmp_path / "spectrograms" / "train.h5", rows_of(8, (40, 20, 1))
    written(path, rows, compression=compression)
    with h5py.File(path) as file:
        place = file["data"].id.get_chunk_info(5).byte_offset + 100
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 1
    path.write_bytes(damaged)
    with hdf5.open_store(path) as clips:
        assert np.array_equal(clips.read(0, 5), rows[:5])
        for read in (
            lambda: clips.read(0, 8),
            lambda: clips.read_rows(np.array([5])),
            lambda: list(clips.batches(3)),
        ):
            with pytest.raises(UserError, match=r"train.h5: damaged .*`dvc repro spectrograms`"):
                read()


def read_whole(path):
    with hdf5.open_store(path) as clips:
        known = clips.ids, clips.labels.tolist(), clips.classes, clips.attrs, clips.shape, clips.dtype
        return *known, clips.read(0, len(clips)).tobytes(), clips.read_rows(np.arange(len(clips))).tobytes()


@pytest.mark.parametrize("compression", ["none", "shuffle+gzip-1"])
def test_no_bit_of_a_store_changes_unnoticed(tmp_path, compression):
    """A bit of one byte in five; all 25,696 of a store of 20 clips were tried once, and none was missed."""
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(12, (4,), np.int16), compression=compression, sample_rate=22050)
    whole, wanted = path.read_bytes(), read_whole(path)
    random = np.random.default_rng(7)
    for place in range(int(random.integers(5)), len(whole), 5):
        bit = int(random.integers(8))
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            read = read_whole(path)
        except UserError as error:
            assert "train.h5: damaged or not a store" in str(error)
        else:
            assert read == wanted, (place, bit)


def as_group(file, name):
    del file[name]
    file.create_group(name)


def as_scalar(file, name):
    del file[name]
    file[name] = 3


def as_numbers(file, name):
    del file[name]
    file[name] = np.arange(8.0)


def as_objects(file, name):
    del file[name]
    file[name] = ["of", "any", "length"]


def as_endless(file, name):
    dtype, dimensions = file[name].dtype, len(file[name].shape)
    del file[name]
    file.create_dataset(name, shape=(2**45,) * dimensions, chunks=(2**6,) * dimensions, dtype=dtype)


def as_one_giant(file, name):
    del file[name]
    file.create_dataset(name, shape=(8,), dtype=f"S{2**30}")


@pytest.mark.parametrize("name", ["data", "ids", "labels", "classes"])
@pytest.mark.parametrize("other", [as_group, as_scalar, as_numbers, as_objects, as_endless, as_one_giant])
def test_another_object_in_its_place_is_told_before_it_is_read(tmp_path, name, other):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(8))
    with h5py.File(path, "a") as file:
        other(file, name)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"train.h5: damaged or not a store"), hdf5.open_store(path):
        pass
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("chunks", [(2**12, 2**12), (2**20, 3)])
def test_a_row_larger_than_the_file_can_hold_is_told(tmp_path, chunks):
    path, rows = tmp_path / "audio" / "train.h5", 1
    written(path, rows_of(rows))
    with h5py.File(path, "a") as file:
        del file["data"]
        file.create_dataset("data", shape=(rows, chunks[1]), maxshape=(None, None), chunks=chunks, dtype=np.int16)
    with pytest.raises(UserError, match=r"damaged or not a store .*data"), hdf5.open_store(path):
        pass


@pytest.mark.parametrize("change", ["name", "sample_rate", "digest", "another"])
def test_attributes_are_checked(tmp_path, change):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(3), sample_rate=22050)
    for value in ("of any length", 44100, np.arange(3), h5py.Empty("i8")):
        with h5py.File(path, "a") as file:
            file.attrs[change] = value
        with pytest.raises(UserError, match="damaged or not a store"), hdf5.open_store(path):
            pass


def test_a_readers_own_error_is_not_taken_for_damage(tmp_path):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(2))
    with pytest.raises(ValueError, match="mine"), hdf5.open_store(path):
        raise ValueError("mine")


def test_a_place_that_cannot_be_written_is_the_users_to_mend(tmp_path):
    (tmp_path / "train.h5").mkdir()
    with pytest.raises(UserError, match=r"train.h5: cannot be written: Is a directory"):
        written(tmp_path / "train.h5", rows_of(2))
