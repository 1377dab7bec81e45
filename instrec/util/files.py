"""Writing files so that a killed process leaves nothing half-written that a later run trusts."""

from __future__ import annotations

import errno
import functools
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from instrec.errors import UserError

_LONGEST = 220  # bytes of a name that a temporary one keeps; file systems take 255
_LEFT = re.compile(r"\..*\.(\d+)-[0-9a-f]{8}\.[a-z.]+")  # also what a writer names after its part


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Return a temporary name beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    The name is this call's own, so that two writers never share a file: the last to end has the say. What killed
    processes left in the folder is removed.

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
        yield part
        part.replace(path)
    except OSError as error:
        if error.errno is None:  # not the operating system's word: a library's own use of OSError
            raise
        remedy = "free some space or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise UserError(
            "file-unwritable", path, f"cannot be written: {os.strerror(error.errno)}; {remedy}choose another place"
        ) from error
    finally:
        with suppress(OSError):  # what cannot be removed was told above: `path` lies in a file, say
            part.unlink()


def require_temporary_files() -> None:
    """Check that there is room for temporary files: TensorFlow does not even load without.

    Raises
    ------
    UserError
        If no folder for them takes a file, naming TMPDIR.
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
def temporary_folder() -> Iterator[Path]:
    """Return a folder that is removed when the block ends.

    Raises
    ------
    UserError
        If its disk is full, naming TMPDIR.
    """
    require_temporary_files()
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(
            "temporary-folder-full",
            f"TMPDIR={tempfile.gettempdir()}",
            f"{os.strerror(error.errno)}; free some space, or set TMPDIR to a folder that has some",
        ) from error


@functools.lru_cache(maxsize=1024)  # once for a folder, which may hold very many files
def _clear(folder: Path) -> None:
    """Remove what processes that are no more left in a folder."""
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


def below(folder: Path) -> Iterator[Path]:
    """Return what lies in a folder and below. The folder and those right in it may be links."""
    for top in folder.iterdir():
        yield top
        yield from top.rglob("*") if top.is_dir() else ()
