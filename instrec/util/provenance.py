"""The checkout that runs: its code, and whether `dvc exp run --temp` or `--queue` will delete its folder.

Such a folder has only what git tracks. DVC names the repository itself in DVC_ROOT.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from instrec.errors import UserError

if TYPE_CHECKING:
    from instrec.params import SourcesParams


_PACKAGE = Path(__file__).parents[1]


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


CODE = _digest()
"""Digest of the package's code when this process loaded it; a worker keeps the code that it started with."""


def repository() -> Path:
    """Return the folder of the repository itself, also from a temporary one."""
    return Path(os.environ.get("DVC_ROOT", "."))


def apart() -> str:
    """Return the name of an experiment in a temporary folder, beside which others may run; else nothing."""
    return "" if repository().samefile(".") else os.environ["DVC_EXP_NAME"]


def check_sources(sources: SourcesParams) -> None:
    """Check that a temporary folder does not lack files that the run reads and git ignores.

    Raises
    ------
    UserError
        In a folder that will be thrown away, when the repository has recordings or MIDI files that are not here, or
        when datasets would be downloaded here.
    """
    if not apart():
        return
    home = repository()
    for folder in (sources.recordings, sources.midi):
        files = [path.relative_to(home / folder) for path in (home / folder).rglob("[!.]*") if path.is_file()]
        missing = [path for path in files if not Path(folder, path).exists()]
        if missing:
            # What is within the folder: DVC copies nothing onto a folder that is there.
            within = sorted({f"{folder}/{path.parts[0]}" for path in missing})
            options = " ".join(f"--copy-paths {shlex.quote(path)}" for path in within)
            raise UserError(
                "files-ignored",
                folder,
                f"{len(missing)} of its files are not in this experiment's folder, as git ignores them; "
                f"run it again with {options}",
            )
    if (sources.train or sources.test) and not Path(sources.corpora).is_absolute():
        raise UserError(
            "folder-thrown-away",
            "params.yaml: sources.corpora",
            f"{sources.corpora} lies in this experiment's folder, which will be thrown "
            f"away; run it again with -S sources.corpora={(home / sources.corpora).resolve()}",
        )
