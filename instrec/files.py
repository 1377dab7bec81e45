"""Writing files so that a killed process leaves nothing half-written that a later run trusts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from instrec.errors import UserError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    Raises
    ------
    UserError
        When the disk is full, the folder cannot be written, or `path` names no file or a device.
    """
    path = Path(path)
    if not path.name:
        raise UserError(f"{path}: is no file's name; give one")
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device, which would be replaced by a file
        raise UserError(f"{path}: is no file that can be replaced; name another")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        if error.errno is None:  # not the operating system's word: a library's own use of OSError
            raise
        remedy = "free some space or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise UserError(
            f"{path}: cannot be written: {os.strerror(error.errno)}; {remedy}choose another place"
        ) from error
    finally:
        with suppress(OSError):  # what cannot be removed was told above: `path` lies in a file, say
            part.unlink()


def below(folder: Path) -> Iterator[Path]:
    """Give what lies in a folder and below. The folder and those right in it may be links."""
    for top in folder.iterdir():
        yield top
        yield from top.rglob("*") if top.is_dir() else ()
