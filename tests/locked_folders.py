"""Folders that cannot be read, even by an administrator, who may read everything."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deny every folder called `locked`."""
    listed = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
