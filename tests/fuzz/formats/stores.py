"""HDF5 stores: any damage is reported or does no harm; what is read is what was written."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_ROWS = 12


@functools.cache
def seeds() -> dict[str, bytes]:
    from instrec.util import hdf5

    rows = np.random.default_rng(1).integers(-9000, 9000, (_ROWS, 40)).astype(np.int16)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        labels = np.arange(3 * _ROWS).reshape(_ROWS, 3).astype(np.uint8) % 2
        for name, compression, unknown in (
            ("audio/plain.h5", {}, None),
            ("audio/partial.h5", {}, 1 - labels),
            ("spectrograms/packed.h5", hdf5.GZIP, None),
        ):
            path = Path(folder) / name
            with hdf5.create(
                path,
                name="audio",
                shape=(40,),
                dtype=np.int16,
                ids=[f"train/solo/violin-{number:03}" for number in range(_ROWS)],
                labels=labels,
                classes=("violin", "flute", "piano"),
                unknown=unknown,
                chunk_rows=4,
                compression=compression,
                sample_rate=16000,
            ) as writer:
                writer.append(rows)
            found[name] = path.read_bytes()
    return found


def _rows_of(path: Path | io.BytesIO) -> dict[str, Any]:
    """Return all that a store says, as HDF5 itself reads it."""
    with h5py.File(path) as file:
        about = {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}
        del about["digest"]
        return {name: file[name][:] for name in file} | about


def _damaged(random: Random, data: bytes) -> bytes:
    if random.random() < 0.4:
        return mutations.binary(random, data)
    if random.random() < 0.5:
        return _flipped(random, data)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        random.choice(_CHANGES)(random, file)
    return buffer.getvalue()


def _flipped(random: Random, data: bytes) -> bytes:
    """Flip one bit of what ids, labels, classes or unknown labels hold, wherever that lies."""
    with h5py.File(io.BytesIO(data)) as file:
        found = file[random.choice([name for name in file if name != "data"])]
        start, size = found.id.get_offset(), found.id.get_storage_size()
        if start is None:  # in chunks
            chunk = found.id.get_chunk_info(random.randrange(found.id.get_num_chunks()))
            start, size = chunk.byte_offset, chunk.size
    changed = bytearray(data)
    changed[start + random.randrange(size)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _name(random: Random, file: h5py.File) -> str:
    return random.choice(list(file))


def _missing(random: Random, file: h5py.File) -> None:
    del file[_name(random, file)]


def _group(random: Random, file: h5py.File) -> None:
    name = _name(random, file)
    del file[name]
    file.create_group(name)


def _other(random: Random, file: h5py.File) -> None:
    name = _name(random, file)
    values: tuple[Any, ...] = (7, "text", np.arange(5), np.zeros((_ROWS, 3)), np.zeros((_ROWS, 2, 2)), [b"a"] * _ROWS)
    values += (np.full((_ROWS, 3), np.nan), np.full((_ROWS, 3), 9, np.uint8), [b"\xff\xfe"] * _ROWS, ["x"] * _ROWS)
    value = random.choice(values)
    del file[name]
    file[name] = value


def _huge(random: Random, file: h5py.File) -> None:
    """Declare more than any memory holds; nothing of it is in the file."""
    name = _name(random, file)
    del file[name]
    shape = random.choice(((1 << 40,), (1 << 36, 3), (_ROWS, 1 << 34)))
    kind = random.choice((np.uint8, np.int16, np.dtype("S64"), np.dtype("S1000000000")))
    chunks = tuple(min(64, side) for side in shape) if kind != np.dtype("S1000000000") else (1, 1)[: len(shape)]
    file.create_dataset(name, shape=shape, dtype=kind, chunks=chunks)


def _link(random: Random, file: h5py.File) -> None:
    name = _name(random, file)
    del file[name]
    file[name] = random.choice((h5py.SoftLink("/nowhere"), h5py.SoftLink(f"/{name}"), h5py.ExternalLink("/etc", "/x")))


_CHANGES: tuple[Callable[[Random, h5py.File], None], ...] = (_missing, _group, _other, _other, _huge, _link)


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.util import hdf5

    with hdf5.open_store(path) as found:
        said: dict[str, Any] = {"data": found.read(0, len(found))}
        said |= {"ids": np.array([each.encode() for each in found.ids]), "labels": found.labels}
        said |= {"unknown": found.unknown}
        said |= {"classes": np.array([each.encode() for each in found.classes]), **found.attrs}
    written = _rows_of(io.BytesIO(before))
    for name, value in written.items():
        assert name in said, f"{name} is lost, and nothing told"
        assert np.array_equal(said[name], value), f"{name} is another, and nothing told: {said[name]!r}"


STORE = Format(120, seeds, _damaged, _read, ("instrec.util.hdf5", "instrec.util.hdf5_file"))
