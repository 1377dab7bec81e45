"""Git as a command."""

from __future__ import annotations

import subprocess
from pathlib import Path

from instrec.errors import UserError


def output(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints in a folder, or None where it fails.

    Raises
    ------
    UserError
        When git is not installed.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        raise UserError("package-missing", "", "git is not installed; sudo apt-get install git") from None
    return done.stdout if done.returncode == 0 else None


def text(folder: Path, *arguments: str) -> str | None:
    """Return what git prints as text without blanks around it; see `output`."""
    printed = output(folder, *arguments)
    return None if printed is None else printed.decode(errors="replace").strip()
