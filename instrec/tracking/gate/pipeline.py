"""Whether dvc.lock belongs to the code, parameters and metrics of its commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc.repo import Repo


def stale(root: Path) -> list[str]:
    """Return what is out of date in dvc.lock, one line per stage or file.

    `dvc repro --dry --allow-missing` exits with 0 on a stale lock, and ignores missing sources and metrics. `dvc
    status` needs the data. So this checks each dependency and output: a file in git must be the one that dvc.lock
    records. A file in DVC, present or not, must have the same checksum in dvc.lock where it is written and where it is
    read.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root.resolve())) as repo:
            return list(_stale(repo))
    except DvcException as error:
        return [f"DVC cannot read the pipeline: {' '.join(str(error).split())}"]


def _stale(repo: Repo) -> Iterator[str]:
    made = {out.fs_path: out for stage in repo.index.stages for out in stage.outs}
    kept_by_dvc = [path for path, out in made.items() if out.use_cache]

    def changed(item: Any) -> list[str]:
        """Name what differs from dvc.lock: the file, or parameters in it."""
        if any(item.fs_path == path or item.fs_path.startswith(path + os.sep) for path in kept_by_dvc):
            maker = made.get(item.fs_path, item)
            return [] if item.hash_info and item.hash_info == maker.hash_info else [item.def_path]
        names: list[str] = []
        for path, state in item.status().items():
            names += state if isinstance(state, dict) else [path]
        return names

    for stage in repo.index.stages:
        differing = ["command"] if stage.changed_stage() else []
        differing += [f"`{name}`" for dep in stage.deps for name in changed(dep)]
        if differing:
            yield (
                f"`dvc.lock` is stale: stage `{stage.addressing}` was last run with another {', '.join(differing)}; "
                "run `dvc repro` and commit what it writes"
            )
        for out in stage.outs:
            for name in changed(out):
                yield f"`{name}` is not what stage `{stage.addressing}` wrote, by the checksum in `dvc.lock`"
