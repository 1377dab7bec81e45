"""Run recipes with DVC in a clone, so that the user's working tree stays as it is.

Each run becomes an experiment of the repository, named RECIPE-SEED-BUDGET, and a run in its MLflow store.
"""

from __future__ import annotations

import csv
import datetime
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import yaml

from instrec.errors import UserError
from instrec.tracking.mlflow import runs as mlflow_runs
from instrec.tracking.reproductions import recipes, results
from instrec.util import documents
from instrec.util.nested import merged
from instrec.util.progress import tqdm

_log = logging.getLogger(__name__)

CLONE = Path(".systems")  # ignored by git; kept, so that what recipes have in common is built once
_CLIPS = ("classes", "clip", "sources", "soundfonts", "selection", "balance", "scores", "synth", "noise")
_GRACE = 10.0  # seconds for DVC and its stage to end after Ctrl-C, which reaches them, too


def run(
    repository: Path,
    names: Sequence[str],
    *,
    budget: str,
    seeds: Sequence[int],
    path: Path,
    anew: bool = False,
    precision: str | None = None,
) -> None:
    """Run every recipe with every seed that `path` does not have yet, and add each result as its run ends.

    Recipes with the same clips follow one another, so that DVC's cache has them. If it is interrupted, the next call
    resumes, also in the middle of a training.

    Parameters
    ----------
    anew : also run what `path` has from another commit than the current one.
    precision : `train.precision` of the runs, instead of that of recipe and params.yaml.

    Raises
    ------
    UserError
        If a recipe fails, naming its log; or when git or DVC do.
    """
    head = _call(repository, "git", "rev-parse", "HEAD")
    found = [each for each in results.read(path) if not anew or head.startswith(each.commit)]
    done = {(each.recipe, each.budget, each.seed) for each in found}
    wanted = [(name, seed) for name in names for seed in seeds if (name, budget, seed) not in done]
    if not wanted:
        print("nothing to run: every result is there; --anew repeats those of other commits")
        return
    clone = repository / CLONE
    commit = _prepare(repository, clone)
    with tqdm(_by_clips(clone, wanted, budget), desc="systems", unit="run") as progress:
        for name, seed in progress:
            progress.set_postfix_str(f"{name}, seed {seed}")
            results.add(path, _run(repository, clone, name, budget, seed, commit, precision))


def _by_clips(clone: Path, wanted: Sequence[tuple[str, int]], budget: str) -> list[tuple[str, int]]:
    """Order runs so that those with the same clips, and among them with the same features, are neighbors."""
    keys: dict[str, tuple[str, str]] = {}
    for name in dict.fromkeys(name for name, _ in wanted):
        changes = recipes.load(clone / "recipes", name).changes(budget=budget)
        tree, _ = recipes.settings(clone / "params.yaml", changes, f"recipes/{name}.yaml")
        clips = json.dumps([tree[section] for section in _CLIPS])
        keys[name] = clips, json.dumps(tree["spectrogram"])
    clips_in_turn, features_in_turn = (list(dict.fromkeys(each)) for each in zip(*keys.values(), strict=True))

    def turn(run: tuple[str, int]) -> tuple[int, int, int]:
        clips, features = keys[run[0]]
        return clips_in_turn.index(clips), run[1], features_in_turn.index(features)

    return sorted(wanted, key=turn)


def _run(
    repository: Path, clone: Path, name: str, budget: str, seed: int, commit: str, precision: str | None
) -> results.Run:
    chosen = {"seed": seed, **({"train": {"precision": precision}} if precision else {})}
    changes = merged(recipes.load(clone / "recipes", name).changes(budget=budget), chosen)
    _call(clone, "git", "checkout", "--quiet", "params.yaml")
    tree, _ = recipes.settings(clone / "params.yaml", changes, f"recipes/{name}.yaml")
    (clone / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    speed, log, experiment = clone / "models/speed.json", clone / f"{name}-{seed}.log", f"{name}-{seed}-{budget}"
    speed.unlink(missing_ok=True)
    if _repro(clone, log, {"DVC_EXP_NAME": experiment, "MLFLOW_TRACKING_URI": _store(repository)}):
        raise UserError("recipe-failed", f"recipe {name} failed", f"{_reason(log)}; all it said is in {log}")
    _call(clone, *_dvc("exp", "save", "--quiet", "--force", "--name", experiment))
    # Without what DVC caches: models and clips would fill the repository, and `dvc repro` makes them again.
    _call(clone, *_dvc("exp", "push", "--quiet", "--force", "--no-cache", "origin", experiment))
    # Where another recipe may go on from.
    shutil.copy(clone / "models/classifier.keras", clone / f"models/{name}.keras")
    _call(clone, *_dvc("gc", "--workspace", "--force", "--quiet"))  # what earlier recipes left takes gigabytes
    with (clone / "models/history.csv").open(newline="") as rows:
        history = list(csv.DictReader(rows))
    return results.Run(
        name,
        budget,
        seed,
        commit,
        f"{_machine()}, {precision}" if precision else _machine(),
        documents.load_json(clone / "metrics/test.json"),
        {column: [float(row[column]) for row in history] for column in history[0]},
        documents.load_json(speed) if speed.exists() else {},
        datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def _reason(log: Path) -> str:
    """Return the last error of a stage, or else of DVC."""
    lines = log.read_text(errors="replace").splitlines()
    for beginning in ("error: ", "ERROR: "):
        if found := [line for line in lines if line.startswith(beginning)]:
            return found[-1].removeprefix(beginning)
    return "it was ended"


def _repro(clone: Path, log: Path, variables: Mapping[str, str]) -> int:
    """Run the pipeline; return the exit code of DVC. If it is interrupted, DVC has ended before this does."""
    with (
        log.open("w") as file,
        subprocess.Popen(
            _dvc("repro"), cwd=clone, env={**_environment(), **variables}, stdout=file, stderr=file
        ) as process,
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            process.terminate()
            process.wait()
            raise


def _store(repository: Path) -> str:
    """Return the URI of the repository's MLflow store, for a run in another folder."""
    uri = mlflow_runs.uri()
    if not uri.startswith(mlflow_runs.SQLITE):
        return uri
    return f"{mlflow_runs.SQLITE}{repository.resolve() / uri.removeprefix(mlflow_runs.SQLITE)}"


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

    cores = len(os.sched_getaffinity(0))
    return f"{len(gpus())} GPU" if gpus() else f"{cores} CPU {'core' if cores == 1 else 'cores'}"


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
