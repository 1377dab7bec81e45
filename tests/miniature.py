"""The pipeline in miniature: a repository of its own with few, short clips, and real DVC to run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.toy_pipeline import freeze

if TYPE_CHECKING:
    from mlflow.entities import Run

ROOT = Path(__file__).parents[1]
MINIATURE: dict[str, Any] = {
    "workers": 1,  # tests fill the processors already
    "classes": ["violin", "trumpet", "piano", "drums"],
    "soundfonts.train": ["sf_GMbank.sf2"],
    "balance.train_per_class": 24,
    "balance.train_mixtures": 24,
    "balance.valid_per_class": 8,
    "balance.valid_mixtures": 8,
    "model.width": 4,
    "train.epochs": 3,
    "train.batch_size": 32,
    "evaluate.bootstrap_rounds": 50,
    "tracking.mlflow": True,
}


def dvc(repository: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=repository, env=environment(), text=True, capture_output=True
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    """The caller's own, but the stages' `python` is this one, and runs go to the repository's own MLflow store."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_EXP", "MLFLOW_TRACK"))}
    return own | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}


def set_params(repository: Path, values: dict[str, object]) -> None:
    file = repository / "params.yaml"
    tree = yaml.safe_load(file.read_text())
    for name, value in values.items():
        *sections, key = name.split(".")
        section = tree
        for part in sections:
            section = section[part]
        assert key in section
        section[key] = value
    file.write_text(yaml.safe_dump(tree, sort_keys=False))


def make_repository(folder: Path) -> Path:
    """Clone what git tracks, as it stands in the working tree, with every fifth of the frozen scores."""
    folder.mkdir()
    tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    fifth = [*(ROOT / "data").glob("*/*[0-9][0-9][05]*.mid"), ROOT / "data/noise.json"]
    for name in (*filter(None, tracked), *(str(path.relative_to(ROOT)) for path in fifth)):
        if (ROOT / name).is_file() and not name.startswith((".dvcstore/", "data.dvc", "dvc.lock")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    set_params(folder, MINIATURE)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    freeze(folder, "data")
    author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    for command in (("add", "-A"), (*author, "commit", "-qm", "start")):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def ran(printed: str) -> list[str]:
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


def locked(repository: Path) -> dict[str, Any]:
    """The stages that have ended well, as dvc.lock has them."""
    file = repository / "dvc.lock"
    return yaml.safe_load(file.read_text())["stages"] if file.exists() else {}


def outputs(repository: Path) -> dict[str, str]:
    """The checksum of all that was written, by name."""
    return {out["path"]: out["md5"] for stage in locked(repository).values() for out in stage["outs"]}


def mirrored(repository: Path) -> list[Run]:
    """The runs in the repository's MLflow store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("instrec").experiment_id])
