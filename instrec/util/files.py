"""Write files atomically: a killed process leaves no partial file that a later run trusts."""

from __future__ import annotations

import csv
import errno
import functools
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from instrec.errors import UserError
from instrec.util.processes import unfinished

DIGITS = 4  # of what is written of a fraction
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_LONGEST = 220  # bytes of a name that a temporary one keeps; file systems take 255
_LEFT = re.compile(r"\..*\.(\d+)-[0-9a-f]{8}\.[a-z.]+")  # also what a writer names after its part


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Return a temporary name beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    Each call has its own temporary name, so two writers never share a file; the last to end wins. Files that killed
    processes left in the folder are removed.

    Raises
    ------
    UserError
        If the disk is full, the folder cannot be written, or `path` names no file or a device.
    """
    path = Path(path)
    if not path.name:
        raise UserError("not-a-file", path, "is no file's name; give one")
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device, which would be replaced by a file
        raise UserError("not-a-file", path, "is no file that can be replaced; name another")
    name = os.fsdecode(os.fsencode(path.name)[:_LONGEST])
    part = path.with_name(f".{name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path.parent.absolute())
        with _unfinished(part.absolute()):
            yield part
            part.replace(path)
    except OSError as error:
        if error.errno is None:  # not the operating system's word: a library's own use of OSError
            raise
        remedy = "free some space or " if error.errno in _NO_SPACE else ""
        reason = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno  # its folder is a file
        raise UserError(
            "file-unwritable", path, f"cannot be written: {os.strerror(reason)}; {remedy}choose another place"
        ) from error
    finally:
        with suppress(OSError):  # the error was raised above, for example if `path` lies in a file
            part.unlink()


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Iterable[str | float]]) -> None:
    """Write a table, fractions rounded to `DIGITS`."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([f"{cell:.{DIGITS}f}" if isinstance(cell, float) else cell for cell in row] for row in rows)


def require_temporary_files() -> None:
    """Check that there is room for temporary files: TensorFlow does not even load without.

    Raises
    ------
    UserError
        If no temporary folder can hold a file; the message names TMPDIR.
    """
    try:
        tempfile.gettempdir()
    except OSError as error:
        where = os.environ.get("TMPDIR", "(not set)")
        raise UserError(
            "temporary-folder-full",
            f"TMPDIR={where}",
            "no temporary file can be written there nor in /tmp (is the disk full?); "
            "free some space, or set TMPDIR to a folder that has some",
        ) from error


@contextmanager
def temporary_files() -> Iterator[None]:
    """Turn the errors of libraries on a full disk of temporary files into one `UserError`.

    Raises
    ------
    UserError
        If the disk is full, with code `temporary-folder-full`, naming TMPDIR.
    """
    require_temporary_files()
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        full = next((text for text in map(os.strerror, _NO_SPACE) if text in str(error)), None)
        if full is None:
            raise
        raise UserError(
            "temporary-folder-full",
            f"TMPDIR={tempfile.gettempdir()}",
            f"{full}; free some space, or set TMPDIR to a folder that has some",
        ) from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Return a folder that is removed when the block ends; a full disk is reported as by `temporary_files`."""
    with temporary_files(), tempfile.TemporaryDirectory() as folder, _unfinished(Path(folder)):
        yield Path(folder)


@contextmanager
def _unfinished(path: Path) -> Iterator[None]:
    own = (os.getpid(), path)
    unfinished.add(own)
    try:
        yield
    finally:
        unfinished.discard(own)


@functools.lru_cache(maxsize=1024)  # once for a folder, which may hold very many files
def _clear(folder: Path) -> None:
    """Remove the temporary files of ended processes from a folder."""
    with suppress(OSError):  # a folder that cannot be listed, a file of somebody else
        for path in folder.iterdir():
            if (left := _LEFT.fullmatch(path.name)) and not _runs(int(left[1])):
                path.unlink()


def _runs(process: int) -> bool:
    if os.name == "nt":  # where os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def md5(path: Path) -> str:
    """Return a file's MD5 checksum in hexadecimal, as DVC and datasets use it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def below(folder: Path, denied: Callable[[Path, str], object]) -> Iterator[Path]:
    """Return the paths in a folder and below. The folder and its direct sub-folders may be links.

    Parameters
    ----------
    denied : called with each sub-folder that cannot be read, and why. What is in it is missing.
    """
    for top in folder.iterdir():
        yield top
        if top.is_dir():
            yield from _inside(top, denied)


def _inside(folder: Path, denied: Callable[[Path, str], object]) -> Iterator[Path]:
    """As `Path.rglob`, which passes over folders that it cannot read, and says nothing."""
    try:
        inside = [(path, path.is_dir() and not path.is_symlink()) for path in folder.iterdir()]
    except OSError as error:
        denied(folder, f"a folder that cannot be read: {(error.strerror or str(error)).lower()}")
        return
    for path, is_folder in inside:
        yield path
        if is_folder:
            yield from _inside(path, denied)
