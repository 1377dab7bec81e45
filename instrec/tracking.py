"""A mirror of what DVC tracks, for those who like MLflow's pages: params, learning curves, metrics, files.

Nothing reads it back and nothing depends on it. Runs go to `MLFLOW_TRACKING_URI`, or else to `mlflow.db` in
the repository; look at them with `mlflow ui --backend-store-uri sqlite:///mlflow.db`.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from instrec.params import Params
from instrec.trees import flat

EXPERIMENT = "instrec"

# MLflow's own settings, unless the environment has others: an unreachable server is given up after seconds,
# not minutes; nobody is told that MLflow is used; no log lines about tables.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


def mirror(params: Params, history: Path, metrics: Mapping[str, Any], artifacts: Iterable[Path]) -> None:
    """Record one run; whatever goes wrong costs a line on standard error and nothing else.

    Parameters
    ----------
    params : every knob, recorded as `section.key`.
    history : CSV file with a row an epoch; each column becomes a curve.
    metrics : nested figures, recorded as `key.key`; what is not a number is left out.
    artifacts : small files to keep beside the run.
    """
    try:
        _record(params, history, metrics, artifacts)
    except Exception as error:  # MLflow, its database and its server fail in many ways; none may fail a stage
        line = " ".join(str(error).split())
        print(f"warning: not mirrored to MLflow: {type(error).__name__}: {line[:300]}", file=sys.stderr)


def _record(params: Params, history: Path, metrics: Mapping[str, Any], artifacts: Iterable[Path]) -> None:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    now = round(time.time() * 1000)
    knobs = [Param(name, str(value)) for name, value in flat(asdict(params))]
    curves = [Metric(name, value, now, epoch) for epoch, name, value in _curves(history)]
    curves += [Metric(name, value, now, 0) for name, value in flat(metrics) if _is_number(value)]

    # In the throw-away folder of `dvc exp run --temp`, DVC_ROOT is the repository itself.
    root = Path(os.environ.get("DVC_ROOT", ".")).resolve()
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    client = MlflowClient(uri or f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        location = None if uri else (root / "mlartifacts").as_uri()
        identity = client.create_experiment(EXPERIMENT, artifact_location=location)
    else:
        identity = experiment.experiment_id
    run = client.create_run(identity, run_name=os.environ.get("DVC_EXP_NAME") or _commit()).info.run_id
    for start in range(0, len(knobs), 100):  # the most that MLflow takes at once, of each kind
        client.log_batch(run, params=knobs[start : start + 100])
    for start in range(0, len(curves), 1000):
        client.log_batch(run, metrics=curves[start : start + 1000])
    for path in artifacts:
        client.log_artifact(run, str(path))
    client.set_terminated(run)


def _curves(history: Path) -> Iterator[tuple[int, str, float]]:
    with history.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch = int(row.pop("epoch"))
            yield from ((epoch, name, float(value)) for name, value in row.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _commit() -> str | None:
    """Give the commit's short hash, or None (MLflow then makes a name up) outside git."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return git.stdout.strip() or None
