"""Which checkout runs: its code, and whether its folder is one that `dvc exp run --temp` or `--queue` throws away.

DVC gives such a folder what git tracks and nothing else, and names the repository itself in DVC_ROOT.
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
"""The package's code as this process found it: a worker that runs since yesterday keeps yesterday's."""


def repository() -> Path:
    """Return the repository's own folder, also within one that will be thrown away."""
    return Path(os.environ.get("DVC_ROOT", "."))


def apart() -> str:
    """Name the experiment where it has a folder of its own, beside which others may run; empty elsewhere."""
    return "" if repository().samefile(".") else os.environ["DVC_EXP_NAME"]


def check_sources(sources: SourcesParams) -> None:
    """See that nothing is silently missing where git ignores what a run reads.

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
