"""A repository after a run, what mirrors it, and what a store then holds."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from instrec.errors import log_to_stderr
from instrec.tracking.mlflow import runs

ROOT = Path(__file__).parents[3]


HISTORY = "epoch,loss,val_top1\n0,2.5,0.25\n1,1.5,0.5\n"


FIGURES = {"unseen_clean": {"solo": {"clips": 4, "top1": 0.75, "intervals": {"top1": [0.5, 1.0]}}}}


CALIBRATION = "predicted,observed,low,high,decisions\n0.1,0.2,0.1,0.4,9\n"
DATA = "outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  path: data\n"


def fill(folder: Path) -> None:
    """Write what a finished pipeline leaves in a repository."""
    (folder / "models").mkdir(parents=True)
    (folder / "models/history.csv").write_text(HISTORY)
    (folder / "models/classifier.keras").write_bytes(b"weights")
    (folder / "data.dvc").write_text(DATA)
    (folder / "metrics/plots").mkdir(parents=True)
    (folder / "metrics/test.json").write_text("{}\n")
    (folder / "metrics/plots/f1_unseen_clean.csv").write_text("class,f1\nviolin,1.0\ndrums,0.5\n")
    (folder / "metrics/plots/confusion_unseen_clean.csv").write_text("actual,predicted\nviolin,violin\n")
    (folder / "metrics/plots/calibration_unseen_clean.csv").write_text(CALIBRATION)


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    return subprocess.check_output(["git", *author, *arguments], cwd=folder, text=True).strip()


def mirror(parameters, root=Path()):
    inputs = {"model": root / "models/classifier.keras"}
    if (root / "data.dvc").exists():
        inputs["data"] = root / "data.dvc"
    with log_to_stderr():
        runs.mirror(parameters, root / "models/history.csv", FIGURES, root / "metrics", inputs=inputs)


def store(root, uri=None):
    """The client of a store, and the runs in it, the newest first."""
    from mlflow import MlflowClient

    client = MlflowClient(uri or f"sqlite:///{root / 'mlflow.db'}")
    return client, client.search_runs([client.get_experiment_by_name("instrec").experiment_id])


def names(root, uri=None):
    return sorted(run.info.run_name for run in store(root, uri)[1])


def artifacts(client, run, folder=""):
    for each in client.list_artifacts(run.info.run_id, folder):
        yield from artifacts(client, run, each.path) if each.is_dir else [each.path]


def assert_whole(client, run, parameters):
    assert run.info.status == "FINISHED"
    assert run.data.params["train.learning_rate"] == str(parameters.train.learning_rate)
    figures = {"unseen_clean.solo.clips": 4, "unseen_clean.solo.top1": 0.75}
    assert run.data.metrics == {**figures, "loss": 1.5, "val_top1": 0.5}
    curve = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in curve] == [(0, 2.5), (1, 1.5)]
    assert abs(curve[0].timestamp / 1000 - time.time()) < 600
    assert sorted(artifacts(client, run)) == [
        *(f"charts/{kind}-unseen_clean.png" for kind in ("calibration", "confusion", "f1")),
        "history.csv",
        "plots/calibration_unseen_clean.csv",
        "plots/confusion_unseen_clean.csv",
        "plots/f1_unseen_clean.csv",
        "test.json",
    ]


def assert_one_warning(capfd):
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("warning: not mirrored to MLflow: ")
    assert err.count("\n") == 1
    return err
