"""Mirror to MLflow what DVC tracks: parameters, learning curves, metrics, charts.

Nothing depends on the mirror. Runs go to `MLFLOW_TRACKING_URI`, or else to `mlflow.db` in
the repository; docs/tracking.md shows how to look at them. A run bears these tags:

    experiment             its name; a plain `dvc repro` has none, and the run is called by its commit
    commit, dirty          what git has checked out; `true` where tracked files differ from it, params.yaml aside,
                           whose values the run holds, and aside what the pipeline writes
    model, manifest, data  MD5 checksums, as dvc.lock has them
    content                a checksum of all that the run shows
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instrec import errors
from instrec.evaluation.figures import of_sets
from instrec.params import Params
from instrec.tracking import git
from instrec.util import documents, files, provenance
from instrec.util.nested import flat

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)

EXPERIMENT = "instrec"
SQLITE = "sqlite:///"

# MLflow's own settings, unless the environment has others: an unreachable server is given up after seconds,
# not minutes; no hint that MLflow is used; no lines about tables and addresses.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

_WITHOUT_EFFECT = {"workers", "cluster", "tracking.mlflow"}  # parameters that change no result
_OF_THE_RUN = ("params.yaml", "dvc.lock", "metrics")  # tracked files that an experiment changes or writes


def mirror(
    params: Params, history: Path, metrics: Mapping[str, Any], folder: Path, *, inputs: Mapping[str, Path]
) -> None:
    """Record one run; a failure logs one warning and does nothing else.

    A run with the same content and name is not recorded again; if no experiment names this run, any name counts. So a
    restored or repeated experiment appears once, and every experiment can be found.

    Parameters
    ----------
    params : every parameter, recorded as `section.key`.
    history : CSV file with a row per epoch; each column becomes a curve.
    metrics : nested, recorded as `key.key`; what is not a number is left out.
    folder : where `test_sets.write` put the metrics; kept with the run, as are charts of its plot tables.
    inputs : what was measured, by the name of its tag: a file, or the `.dvc` file that stands for it.
    """
    try:
        _record(params, history, metrics, folder, inputs)
    except Exception as error:  # MLflow, its database and its server fail in many ways; none may fail a stage
        _log.warning("not mirrored to MLflow: %s", one_line(error))


def one_line(error: Exception) -> str:
    """Return an error of MLflow as one line; for a failed connection, the error at its root."""
    cause: BaseException = error
    while following := cause.__cause__ or cause.__context__:
        cause = following
    told = cause if isinstance(cause, OSError) else error
    return f"{type(told).__name__}: {errors.one_line(told)[:300]}"  # masked first: half a password is one, too


def uri() -> str:
    """Return the store's address, as the environment has it, or else `mlflow.db` in the repository."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}mlflow.db"


def store() -> tuple[MlflowClient, str]:
    """Open the store; return its client and the id of the experiment, which is created if needed."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    root = provenance.repository().resolve()
    address = uri()
    if not address.startswith(SQLITE):
        client = MlflowClient(address)
        return client, _experiment(client, None)  # a server has a place of its own for files
    database = root / address.removeprefix(SQLITE)
    # Runs that end together must not make the database, or the experiment, twice.
    folder = os.open(database.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        client = MlflowClient(f"{SQLITE}{database}")
        return client, _experiment(client, (database.parent / "mlartifacts").as_uri())
    finally:
        os.close(folder)


def _experiment(client: MlflowClient, files: str | None) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    return str(found.experiment_id if found else client.create_experiment(EXPERIMENT, artifact_location=files))


def md5(path: Path) -> str:
    """Return the checksum that DVC has for a file; a `.dvc` file gives that of its data.

    Raises
    ------
    UserError
        When a `.dvc` file is missing, or names no checksum.
    """
    if path.suffix == ".dvc":
        with documents.expected(path, f"restore it: git checkout {path}"):
            return str(documents.load_yaml(path)["outs"][0]["md5"])
    return files.md5(path)


def _record(
    params: Params, history: Path, metrics: Mapping[str, Any], folder: Path, inputs: Mapping[str, Path]
) -> None:
    parameters = {name: errors.masked(str(value)) for name, value in flat(asdict(params))}
    curves = list(_curves(history))
    hashes = {name: md5(path) for name, path in inputs.items()}
    effective = {name: value for name, value in parameters.items() if name not in _WITHOUT_EFFECT}
    shown = [history, *sorted(path for path in folder.rglob("*") if path.is_file())]
    what = json.dumps([effective, hashes, [(path.name, md5(path)) for path in shown]])
    content = hashlib.md5(what.encode(), usedforsecurity=False).hexdigest()
    experiment = os.environ.get("DVC_EXP_NAME")

    client, identity = store()
    same = client.search_runs([identity], f"tags.content = '{content}' and attributes.status = 'FINISHED'")
    if same and (not experiment or experiment in [run.data.tags.get("experiment") for run in same]):
        return
    tags = _git_tags() | hashes | {"content": content} | ({"experiment": experiment} if experiment else {})
    name = experiment or tags.get("commit", "")[:7] or None  # MLflow makes one up outside git
    run = client.create_run(identity, run_name=name, tags=tags).info.run_id
    _log_numbers(client, run, parameters, [*curves, *((0, name, value) for name, value in flat(metrics))])
    client.log_artifact(run, str(history))
    client.log_artifacts(run, str(folder))
    sets = sorted(path.stem.removeprefix("confusion_") for path in folder.glob("plots/confusion_*.csv"))
    for chart in (chart for own in of_sets(folder / "plots", sets).values() for chart in own):
        client.log_figure(run, chart.figure, f"charts/{chart.name}.png", save_kwargs={"dpi": 200})
    client.set_terminated(run)


def _curves(history: Path) -> Iterator[tuple[int, str, float]]:
    with history.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch = int(row.pop("epoch"))
            yield from ((epoch, name, float(value)) for name, value in row.items())


def _log_numbers(
    client: MlflowClient, run: str, parameters: Mapping[str, str], values: Iterable[tuple[int, str, Any]]
) -> None:
    """Log parameters and (step, name, value) of metrics, in batches of MLflow's size limits."""
    from mlflow.entities import Metric, Param

    now = round(time.time() * 1000)
    params = [Param(name, value) for name, value in parameters.items()]
    metrics = [Metric(name, value, now, step) for step, name, value in values if _is_number(value)]
    for start in range(0, len(params), 100):
        client.log_batch(run, params=params[start : start + 100])
    for start in range(0, len(metrics), 1000):
        client.log_batch(run, metrics=metrics[start : start + 1000])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _git_tags() -> dict[str, str]:
    """Return tags `commit` and `dirty`, and MLflow's own for its column `Version`; none outside git."""
    commit = git.text(Path(), "rev-parse", "HEAD")
    if not commit:
        return {}
    others = [f":(exclude){path}" for path in _OF_THE_RUN]
    changed = git.text(Path(), "status", "--porcelain", "--untracked-files=no", "--", ".", *others)
    return {"commit": commit, "mlflow.source.git.commit": commit, "dirty": str(bool(changed)).lower()}
