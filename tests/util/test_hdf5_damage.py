"""A damaged store is noticed before anything of it is used."""

import tracemalloc

import h5py
import numpy as np
import pytest

from instrec.errors import UserError
from instrec.util import hdf5
from tests.refusals import refused
from tests.util.hdf5_rows import labels_of, rows_of, written


def test_a_missing_store_names_the_stage_to_run(tmp_path):
    for folder, stage in (("audio", "synthesize"), ("spectrograms", "spectrograms")):
        path = tmp_path / folder / "train.h5"
        with (
            refused("store-unreadable", path, f"`dvc repro {stage}`"),
            hdf5.open_store(path),
        ):
            pass
    with refused("store-unreadable", tmp_path / "train.h5", "`dvc repro`"), hdf5.open_store(tmp_path / "train.h5"):
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
    with refused("store-unreadable", path, "`dvc repro synthesize`"), hdf5.open_store(path):
        pass


@pytest.mark.parametrize("change", ["removed", "another", "added"])
def test_no_label_becomes_known_or_unknown_unnoticed(tmp_path, change):
    path = tmp_path / "audio" / "train.h5"
    unknown = np.zeros((8, 2), np.uint8) if change == "added" else 1 - labels_of(8)
    written(path, rows_of(8), unknown=unknown)
    with h5py.File(path, "a") as file:
        if change != "added":
            del file["unknown"]
        if change != "removed":
            file["unknown"] = np.eye(8, 2, dtype=np.uint8)
    with refused("store-unreadable", path, "`dvc repro synthesize`"), hdf5.open_store(path):
        pass


@pytest.mark.parametrize("compression", [{}, hdf5.GZIP])
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
            with refused("store-unreadable", path, "`dvc repro spectrograms`"):
                read()


def read_whole(path):
    with hdf5.open_store(path) as clips:
        known = clips.ids, clips.labels.tolist(), clips.classes, clips.attrs, clips.shape, clips.dtype
        return *known, clips.read(0, len(clips)).tobytes(), clips.read_rows(np.arange(len(clips))).tobytes()


@pytest.mark.parametrize("compression", [{}, hdf5.GZIP])
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
            assert (error.code, error.subject) == ("store-unreadable", path)
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
    with refused("store-unreadable", path), hdf5.open_store(path):
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
    with refused("store-unreadable", path, "data"), hdf5.open_store(path):
        pass


@pytest.mark.parametrize("change", ["name", "sample_rate", "digest", "another"])
def test_attributes_are_checked(tmp_path, change):
    path = tmp_path / "audio" / "train.h5"
    written(path, rows_of(3), sample_rate=22050)
    for value in ("of any length", 44100, np.arange(3), h5py.Empty("i8")):
        with h5py.File(path, "a") as file:
            file.attrs[change] = value
        with refused("store-unreadable", path), hdf5.open_store(path):
            pass
