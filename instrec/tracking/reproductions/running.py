"""Run recipes with DVC in a clone, so that the user's working tree stays as it is."""

from __future__ import annotations

import csv
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from instrec.errors import UserError
from instrec.tracking.reproductions import recipes, results
from instrec.util import documents
from instrec.util.nested import merged
from instrec.util.progress import tqdm

_log = logging.getLogger(__name__)

CLONE = Path(".systems")  # ignored by git; kept, so that what recipes have in common is built once


def run(repository: Path, names: Sequence[str], *, budget: str, seeds: Sequence[int], path: Path) -> None:
    """Run every recipe with every seed that `path` does not have yet, and add each result as its run ends.

    If it is interrupted, the next call resumes.

    Raises
    ------
    UserError
        If a recipe fails, naming its log; or when git or DVC do.
    """
    done = {(run.recipe, run.budget, run.seed) for run in results.read(path)}
    wanted = [(name, seed) for name in names for seed in seeds if (name, budget, seed) not in done]
    if not wanted:
        print("nothing to run: every result is there; take one out of the file to run it anew")
        return
    clone = repository / CLONE
    commit = _prepare(repository, clone)
    with tqdm(wanted, desc="systems", unit="run") as progress:
        for name, seed in progress:
            progress.set_postfix_str(f"{name}, seed {seed}")
            results.add(path, _run(clone, name, budget, seed, commit))


def _run(clone: Path, name: str, budget: str, seed: int, commit: str) -> results.Run:
    changes = recipes.load(clone / "recipes", name).changes(budget=budget)
    _call(clone, "git", "checkout", "--quiet", "params.yaml")
    own = {"seed": seed, "tracking": {"mlflow": False}}
    tree, _ = recipes.settings(clone / "params.yaml", merged(changes, own), f"recipes/{name}.yaml")
    (clone / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    speed, log = clone / "models/speed.json", clone / f"{name}-{seed}.log"
    speed.unlink(missing_ok=True)
    with log.open("w") as file:
        code = subprocess.run(_dvc("repro"), cwd=clone, env=_environment(), stdout=file, stderr=file).returncode
    if code:
        last = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("error:")] or [""]
        raise UserError(
            "recipe-failed", f"recipe {name} failed", f"{last[-1].removeprefix('error: ')}; all it said is in {log}"
        )
    _call(clone, *_dvc("gc", "--workspace", "--force", "--quiet"))  # what earlier recipes left takes gigabytes
    with (clone / "models/history.csv").open(newline="") as rows:
        history = list(csv.DictReader(rows))
    return results.Run(
        name,
        budget,
        seed,
        commit,
        _machine(),
        documents.load_json(clone / "metrics/test.json"),
        {column: [float(row[column]) for row in history] for column in history[0]},
        documents.load_json(speed) if speed.exists() else {},
    )


def _prepare(repository: Path, clone: Path) -> str:
    """Check out the commit of the repository in the clone, with the frozen scores; return the commit."""
    if not (clone / ".git").exists():
        _call(repository, "git", "clone", "--quiet", "--no-hardlinks", ".", str(CLONE))
    _call(clone, "git", "fetch", "--quiet", "origin", "HEAD")
    _call(clone, "git", "reset", "--quiet", "--hard", "FETCH_HEAD")
    if _call(repository, "git", "status", "--porcelain", "--untracked-files=no"):
        _log.warning("changes that are not committed are left out: recipes run on the last commit")
    _call(clone, *_dvc("pull", "--quiet", "--remote", "embedded", "data.dvc"))
    return _call(clone, "git", "rev-parse", "--short", "HEAD")


def _machine() -> str:
    from instrec.training.devices import gpus  # loads Keras

    return f"{len(gpus())} GPU" if gpus() else f"{len(os.sched_getaffinity(0))} CPU cores"


def _dvc(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", "dvc", *arguments


def _environment() -> dict[str, str]:
    """The stages' `python` is this one."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}


def _call(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=_environment(), text=True, capture_output=True)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise UserError("command-failed", folder, f"`{' '.join(command)}` failed: {said[:300]}")
    return done.stdout.strip()
