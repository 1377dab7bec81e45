"""Register a model in MLflow, where anyone can load it by name and alias without this repository."""

from __future__ import annotations

import importlib.resources
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instrec.errors import UserError
from instrec.inference import model
from instrec.tracking.mlflow import pyfunc, runs
from instrec.util import provenance
from instrec.util.files import temporary_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

_EVERY_CLASS = {"threshold": 0.0}  # so that the check compares all of them
_LOAD_AND_PREDICT = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps(model.predict(model.input_example, params=json.loads(sys.argv[2]))))
"""


def check_names(name: str, alias: str) -> None:
    """Refuse a name that MLflow refuses, or that has a special meaning in `models:/NAME@ALIAS`.

    Raises
    ------
    UserError
        Naming the option.
    """
    for option, value in (("--name", name), ("--alias", alias)):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", value):
            raise UserError(
                "value-invalid", f"{option} {value!r}", "allowed are letters, digits, `_`, `-` and `.`, up to 200"
            )
    if "." in alias or re.fullmatch(r"latest|v\d+", alias, re.IGNORECASE):
        raise UserError("value-invalid", f"--alias {alias!r}", "must not be `latest`, look like `v1` or contain a dot")


def register(path: Path, name: str, alias: str) -> str:
    """Register a version of a model, check that it loads and predicts the same, and then move the alias to it.

    The same model with the same code is one version, however often it is registered.

    Parameters
    ----------
    path : the model's file.
    name, alias : as in `models:/NAME@ALIAS`.

    Returns
    -------
    version : its number.

    Raises
    ------
    UserError
        If there is no model, MLflow's store does not answer or refuses, or the version predicts otherwise than the
        file; the alias then stays where it was.
    """
    known = model.load(path)
    # A model is larger than what a run leaves, so a server gets more time for it.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    with _told():
        client, experiment = runs.store()
        tags = {"model": runs.md5(path), "code": provenance.CODE}
        same = " and ".join(f"tags.{key} = '{value}'" for key, value in tags.items())
        found = client.search_model_versions(f"name = '{name}' and {same}")
        version = str(found[0].version) if found else _new_version(client, experiment, name, path, tags)
    loaded = _loaded_elsewhere(client.tracking_uri, f"models:/{name}/{version}")
    if loaded != pyfunc.Recognizer(known).predict(pyfunc.example(), _EVERY_CLASS):
        raise UserError(
            "model-differs",
            f"models:/{name}/{version}",
            f"loads back but predicts otherwise than {path}; alias {alias} stays where it was",
        )
    with _told():
        client.set_registered_model_alias(name, alias, version)
    return version


@contextmanager
def _told() -> Iterator[None]:
    """Turn every error of MLflow, its database or its server into one line."""
    try:
        yield
    except Exception as error:
        server = os.environ.get("MLFLOW_TRACKING_URI")
        where = f"MLFLOW_TRACKING_URI={server}" if server else "mlflow.db"
        remedy = "correct it, or unset it to use mlflow.db" if server else "move the file away to begin anew"
        raise UserError("registry-unavailable", where, f"{runs.one_line(error)}; {remedy}") from error


def _new_version(client: MlflowClient, experiment: str, name: str, path: Path, tags: dict[str, str]) -> str:
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_experiment(experiment_id=experiment)
    runs = client.search_runs([experiment], f"tags.model = '{tags['model']}'", max_results=1)
    run = runs[0].info.run_id if runs else None
    with importlib.resources.as_file(importlib.resources.files("instrec")) as package:
        logged = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name=name,
            run_id=run,
            tags=tags,
            loader_module=pyfunc.__name__,
            data_path=str(path),
            code_paths=[str(package)],
            signature=pyfunc.signature(),
            input_example=(pyfunc.example(), {"threshold": 0.5}),
            pip_requirements=[f"{each}=={installed(each)}" for each in pyfunc.REQUIREMENTS],
        )
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(name, logged.model_uri, run, tags=tags, model_id=logged.model_id)
    return str(version.version)


def _loaded_elsewhere(store: str, uri: str) -> Any:
    """Load a version in a separate process outside this checkout, and return its prediction for its example."""
    with temporary_folder() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _LOAD_AND_PREDICT, uri, json.dumps(_EVERY_CLASS)],
            cwd=folder,
            env={**os.environ, "MLFLOW_TRACKING_URI": store},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"its process ended with code {done.returncode}"]
        raise UserError("model-unloadable", uri, f"does not load back: {said[-1]}")
    return json.loads(done.stdout.splitlines()[-1])
