"""HDF5 files that fail well: a full disk is an error and no crash, and nothing is read before its size is checked."""

from __future__ import annotations

import io
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

MOST_PACKED = 1032
"""gzip makes nothing smaller than by this factor."""


class _Sink(io.FileIO):
    """A file that takes everything: HDF5 crashes the process when it cannot write what it has to write on closing.

    The first error is kept and raised by `check`, and at the end of the `with` block. What is written from then on
    stays in memory, where HDF5 may read it again; that is little, as the file is closed next.
    """

    error: OSError | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._kept: list[tuple[int, bytes]] = []

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        place = self.tell()
        self._try(lambda: self._write_all(view))
        if self.error is not None:
            self._kept.append((place, bytes(view)))
        return len(view)

    def readinto(self, target: Any) -> int:
        view = memoryview(target).cast("B")
        place = self.tell()
        found = super().readinto(view) or 0
        view[found:] = bytes(len(view) - found)
        for start, content in self._kept:
            first, last = max(start, place), min(start + len(content), place + len(view))
            if first < last:
                view[first - place : last - place] = content[first - start : last - start]
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._try(lambda: super(_Sink, self).truncate(size))
        return size or 0

    def _write_all(self, view: memoryview) -> None:
        while view:
            view = view[super().write(view) :]

    def _try(self, action: Callable[[], object]) -> None:
        if self.error is None:
            try:
                action()
            except OSError as error:
                self.error = error

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.check()


@contextmanager
def created(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Create an HDF5 file; the same content gives the same bytes.

    Yields
    ------
    file : its metadata is kept under checksums, as HDF5 does from version 1.10 on.
    check : raises what writing has failed with so far; the end of the block does so, too.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with _Sink(path) as sink:
        with uninterrupted():
            file = h5py.File(_created(sink))
        try:
            yield file, sink.check
        finally:
            with uninterrupted():
                file.close()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block has ended: HDF5 must not see the exception of their handlers when it writes."""
    came: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # no other runs handlers
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(handler := signal.getsignal(number)):
                handlers[number] = handler
                signal.signal(number, lambda each, _: came.append(each))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def _created(sink: _Sink) -> h5py.h5f.FileID:
    access, creation = h5py.h5p.create(h5py.h5p.FILE_ACCESS), h5py.h5p.create(h5py.h5p.FILE_CREATE)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, sink)
    creation.set_obj_track_times(False)
    try:
        return h5py.h5f.create(b"sink", h5py.h5f.ACC_TRUNC, creation, access)
    finally:
        access.close()  # what an exception's traceback keeps of it until Python ends would crash it then


def array(file: h5py.File, name: str, kind: str, dimensions: int) -> NDArray[Any]:
    """Read a dataset whole.

    Raises
    ------
    ValueError
        If it is missing or no dataset, of another kind (numpy's letter) or number of dimensions, or claims to be larger
        than the file.
    """
    found = dataset(file, name, kind, dimensions)
    if size_of(found) > bytes_in(file):
        raise ValueError(f"{name} claims {size_of(found)} bytes, the file has {bytes_in(file)}")
    values: NDArray[Any] = found[()]
    return values


def dataset(file: h5py.File, name: str, kinds: str, dimensions: int | None = None) -> h5py.Dataset:
    """Return a dataset of one of the kinds and, where asked for, of so many dimensions, or raise ValueError."""
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"no dataset {name}")
    if found.dtype.kind not in kinds or not found.shape or dimensions not in (None, len(found.shape)):
        raise ValueError(f"{name} has dtype {found.dtype} and shape {found.shape}")
    return found


def size_of(found: h5py.Dataset) -> int:
    """Return the bytes of a dataset once it is unpacked; numpy's own product may overflow."""
    items: int = math.prod(found.shape)
    return items * int(found.dtype.itemsize)


def bytes_in(file: h5py.File) -> int:
    """Return the size of an open file."""
    return int(file.id.get_filesize())


def attributes(file: h5py.File) -> dict[str, str | int | float]:
    """Read the attributes that `set_attributes` wrote.

    Raises
    ------
    ValueError
        If one is neither text of fixed length nor a number.
    """
    return {name: _attribute(file, name) for name in file.attrs}


def _attribute(file: h5py.File, name: str) -> str | int | float:
    known = file.attrs.get_id(name)
    if known.shape != () or known.dtype.kind not in "Siuf" or known.dtype.itemsize > bytes_in(file):
        raise ValueError(f"attribute {name} has dtype {known.dtype} and shape {known.shape}")
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else value.item()


def set_attributes(file: h5py.File, values: dict[str, str | int | float]) -> None:
    """Write attributes; text gets a fixed length, as HDF5 keeps any other outside of its checksums."""
    for name, value in values.items():
        file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value
