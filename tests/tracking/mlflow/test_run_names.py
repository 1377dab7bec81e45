"""Under real DVC an experiment's run bears the experiment's name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.tracking.mlflow.mirroring import (
    ROOT,
    git,
    store,
)

STAGE = """\
from tests.tracking.mlflow import mirroring
from instrec import params

mirroring.mirror(params.load())
"""


def test_experiments_bear_their_names_wherever_dvc_runs_them(root, monkeypatch):
    """Real DVC: plainly, in the workspace, in a temporary folder and from the queue."""
    (root / "run.py").write_text(STAGE)
    stage = {"cmd": "python run.py", "deps": ["run.py"], "params": ["train.learning_rate"]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"evaluate": stage}}))
    shutil.copy(ROOT / "params.yaml", root)
    (root / "data.dvc").rename(root / "data.yaml")  # whose data this repository lacks
    (root / ".gitignore").write_text("mlflow.db\nmlartifacts/\n__pycache__/\n")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def dvc(*arguments: str) -> str:
        done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in done.stderr
        return done.stdout

    dvc("init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "pipeline")
    dvc("repro")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "done")
    dvc("exp", "run", "-S", "train.learning_rate=0.001")
    here = dvc("exp", "list", "--name-only").strip()  # made up by DVC
    git(root, "checkout", "-q", ".")
    dvc("exp", "run", "--temp", "-n", "elsewhere", "-S", "train.learning_rate=0.001")
    dvc("exp", "run", "--queue", "-n", "later", "-S", "train.learning_rate=0.002")
    dvc("exp", "run", "--run-all")
    runs = {run.info.run_name: run.data for run in store(root)[1]}
    assert {name: data.params["train.learning_rate"] for name, data in runs.items()} == {
        git(root, "rev-parse", "--short=7", "HEAD~"): "0.003",
        here: "0.001",
        "elsewhere": "0.001",
        "later": "0.002",
    }
    for name in (here, "elsewhere", "later"):
        assert runs[name].tags["experiment"] == name
        assert runs[name].tags["commit"] == git(root, "rev-parse", "HEAD")
        assert runs[name].tags["dirty"] == "false"
