"""The HDF5 files between stages: one per split, with rows of audio or features, their ids and labels.

A file holds the datasets `data` (clips, *shape), `ids` (clips,), `labels` (clips, classes), `classes` (classes,) and,
if any label is unknown, `unknown` (clips, classes). The same rows give the same bytes, however they are appended: there
are no times, and whole chunks are written once, in order.

Any changed bit is noticed. HDF5 keeps checksums of its structures and of each chunk of `data`, which are checked on
reading. Attribute `digest` is the checksum of the rest, which is checked on opening.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from instrec.errors import UserError
from instrec.util import hdf5_file
from instrec.util.files import written_whole

GZIP = {"compression": "gzip", "compression_opts": 1, "shuffle": True}  # chosen by benchmarks/store.py

_ARRAYS = {"ids": ("S", 1), "labels": ("u", 2), "classes": ("S", 1)}  # name -> numpy's kind, dimensions
_UNKNOWN = {"unknown": ("u", 2)}
_MADE_BY = {"audio": "synthesize", "spectrograms": "spectrograms"}  # folder -> stage


class Writer:
    """Takes a store's rows in the order of its ids."""

    def __init__(self, data: h5py.Dataset, check: Callable[[], None]) -> None:
        self._data = data
        self._check = check
        self._chunk = np.empty(data.chunks, data.dtype)
        self._waiting = 0
        self.rows = 0

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows, shape (any, *shape), any number at a time.

        Raises
        ------
        ValueError
            If the rows' shape is not the store's, or there are more rows than ids.
        """
        if rows.shape[1:] != self._data.shape[1:]:
            raise ValueError(f"rows of shape {rows.shape[1:]} in a store of {self._data.shape[1:]}")
        if self.rows + self._waiting + len(rows) > len(self._data):
            raise ValueError(f"more rows than the {len(self._data)} ids")
        while len(rows):
            taken = min(len(rows), len(self._chunk) - self._waiting)
            self._chunk[self._waiting : self._waiting + taken] = rows[:taken]
            self._waiting += taken
            rows = rows[taken:]
            if self._waiting == len(self._chunk):
                self.flush()

    def flush(self) -> None:
        """Write what waits for its chunk to fill; only whole chunks and the last one ever reach the file."""
        with hdf5_file.uninterrupted():
            self._data[self.rows : self.rows + self._waiting] = self._chunk[: self._waiting]
        self.rows += self._waiting
        self._waiting = 0
        self._check()


@contextmanager
def create(
    path: Path,
    *,
    name: str,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    ids: Sequence[str],
    labels: NDArray[np.uint8],
    classes: Sequence[str],
    unknown: NDArray[np.uint8] | None = None,
    chunk_rows: int = 1,
    compression: Mapping[str, Any] = GZIP,
    **attrs: str | int | float,
) -> Iterator[Writer]:
    """Write a store; it appears at `path` only once the block has ended well and every row is there.

    Parameters
    ----------
    path : the file; its folder is made.
    name : what a row is, "audio" or "features"; kept as attribute `name`.
    shape, dtype : of one row.
    ids : the clips, in the order their rows will come.
    labels : which classes sound, shape (clips, classes), 0 or 1.
    classes : names of the labels' columns.
    unknown : which classes may sound or not, shape (clips, classes), 0 or 1; none by default.
    chunk_rows : rows read and written together.
    compression : options of `h5py.Group.create_dataset`; none for rows as they are.
    attrs : other values to keep, for example the sample rate.

    Raises
    ------
    UserError
        If the file cannot be written.
    ValueError
        If rows, ids, labels or classes do not match in number.
    """
    if labels.shape != (len(ids), len(classes)):
        raise ValueError(f"labels of shape {labels.shape} for {len(ids)} ids and {len(classes)} classes")
    chunks = (max(1, min(chunk_rows, len(ids))), *shape)
    about: dict[str, str | int | float] = {"name": name, **attrs}
    arrays = {"ids": _encoded(ids), "labels": labels.astype(np.uint8), "classes": _encoded(classes)}
    if unknown is not None and unknown.any():
        if unknown.shape != labels.shape or (unknown & labels).any():
            raise ValueError(f"unknown of shape {unknown.shape} must be as labels are, and 0 where a class sounds")
        arrays["unknown"] = unknown.astype(np.uint8)
    with written_whole(Path(path)) as part, hdf5_file.created(part) as (file, check):
        with hdf5_file.uninterrupted():
            for key, values in arrays.items():
                file[key] = values
            data = file.create_dataset(
                "data",
                shape=(len(ids), *shape),
                maxshape=(None, *shape),  # lets a store without clips have chunks
                dtype=dtype,
                chunks=chunks,
                fletcher32=True,  # so that damage is noticed on reading
                **compression,
            )
            hdf5_file.set_attributes(file, {**about, "digest": _digest(arrays, about, data)})
        writer = Writer(data, check)
        yield writer
        writer.flush()
        if writer.rows != len(ids):
            raise ValueError(f"{path}: {writer.rows} rows for {len(ids)} ids")


def _encoded(names: Sequence[str]) -> NDArray[np.bytes_]:
    """Fixed length: HDF5 keeps strings of any length in a heap whose bytes may vary."""
    encoded = [name.encode() for name in names]
    return np.array(encoded, dtype=f"S{max(map(len, encoded), default=1)}")


def _digest(arrays: dict[str, NDArray[Any]], about: dict[str, str | int | float], data: h5py.Dataset) -> str:
    """Return the checksum of all but the rows, whose shape and type count."""
    forms = {name: (values.dtype.str, values.shape) for name, values in arrays.items()}
    text = json.dumps([about, forms, data.dtype.str, data.shape, data.chunks], sort_keys=True)
    return hashlib.sha256(b"".join([text.encode(), *(values.tobytes() for values in arrays.values())])).hexdigest()


class Store:
    """A store open for reading; rows stay on disk until asked for.

    Attributes
    ----------
    ids : clip ids, in the order of the rows.
    labels : np.ndarray [shape=(clips, classes)], uint8.
    unknown : like labels: 1 where a class may sound or not, though its label is 0.
    classes : names of the labels' columns.
    attrs : what `create` was given beside them, and `name`.
    shape, dtype : of one row.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path = path
        self._data = _rows(file)
        forms = _ARRAYS | (_UNKNOWN if "unknown" in file else {})
        arrays = {name: hdf5_file.array(file, name, *form) for name, form in forms.items()}
        self.attrs: dict[str, Any] = hdf5_file.attributes(file)
        if self.attrs.pop("digest", None) != _digest(arrays, self.attrs, self._data):
            raise ValueError("ids, labels, classes or attributes are not as they were written")
        self.ids: list[str] = [identity.decode() for identity in arrays["ids"]]
        self.labels: NDArray[np.uint8] = arrays["labels"]
        self.unknown: NDArray[np.uint8] = arrays.get("unknown", np.zeros_like(self.labels))
        self.classes: tuple[str, ...] = tuple(label.decode() for label in arrays["classes"])
        self.shape: tuple[int, ...] = self._data.shape[1:]
        self.dtype: np.dtype[Any] = self._data.dtype
        if not len(self._data) == len(self.ids) == len(self.labels) or self.unknown.shape != self.labels.shape:
            raise ValueError("ids, labels and rows differ in number")

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read rows `start` to `stop` (not included), shape (rows, *shape)."""
        with _readable(self._path):
            rows: NDArray[Any] = self._data[start:stop]
            return rows

    def read_rows(self, indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Read the rows at rising indices, shape (indices, *shape)."""
        rows = np.empty((len(indices), *self.shape), self.dtype)
        with _readable(self._path):
            for place, index in enumerate(indices):  # ten times as fast as HDF5's own selection of rows
                self._data.read_direct(rows, np.s_[index], np.s_[place])
        return rows

    def batches(self, size: int) -> Iterator[NDArray[Any]]:
        """Read all rows in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(self), size):
            yield self.read(start, start + size)


def _rows(file: h5py.File) -> h5py.Dataset:
    """Return the rows, after checking that the file can hold as many, and that one row fits into memory."""
    data = hdf5_file.dataset(file, "data", "iuf")
    size = hdf5_file.size_of(data)
    if data.chunks is None or size > hdf5_file.MOST_PACKED * hdf5_file.bytes_in(file):
        raise ValueError(f"data claims {size} bytes, the file has {hdf5_file.bytes_in(file)}")
    if data.chunks[1:] != data.shape[1:] or data.chunks[0] > max(1, len(data)):
        raise ValueError(f"data of shape {data.shape} in chunks of {data.chunks}")
    return data


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """Open a store that `create` wrote.

    Raises
    ------
    UserError
        If the file is missing or damaged, now or later on reading, naming the stage to run again.
    """
    path = Path(path)
    with _readable(path):
        file = h5py.File(path, "r")
    with file:
        with _readable(path):
            store = Store(path, file)
        yield store


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        what = "damaged or not a store" if path.exists() else "missing"
        number = getattr(error, "errno", None)
        # HDF5's own words on the system's errors fill five lines.
        why = os.strerror(number) if number else str(error)
        remedy = f"dvc repro {_MADE_BY.get(path.parent.name, '')}".strip()
        raise UserError("store-unreadable", path, f"{what} ({why}); delete it and run `{remedy}`") from error
