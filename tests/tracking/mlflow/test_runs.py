"""The MLflow mirror: in a real sqlite store, on a real server, under real DVC, and where nothing answers."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from instrec import params
from instrec.tracking.mlflow import runs

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # SQLAlchemy's word to MLflow

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


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository after a run, the working directory; none of the caller's own MLflow or DVC settings."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME", *runs.SETTINGS):
        monkeypatch.setenv(name, "")  # so that what the mirror sets is taken back, too
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    root = tmp_path / "a repository"
    fill(root)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        git(root, *command)
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def knobs():
    return params.load(ROOT / "params.yaml")


def mirror(knobs, root=Path()):
    inputs = {"model": root / "models/classifier.keras"}
    if (root / "data.dvc").exists():
        inputs["data"] = root / "data.dvc"
    runs.mirror(knobs, root / "models/history.csv", FIGURES, root / "metrics", inputs=inputs)


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


def assert_whole(client, run, knobs):
    assert run.info.status == "FINISHED"
    assert run.data.params["train.learning_rate"] == str(knobs.train.learning_rate)
    figures = {"unseen_clean.solo.clips": 4, "unseen_clean.solo.top1": 0.75}
    assert run.data.metrics == {**figures, "loss": 1.5, "val_top1": 0.5}
    curve = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in curve] == [(0, 2.5), (1, 1.5)]
    assert abs(curve[0].timestamp / 1000 - time.time()) < 600
    assert sorted(artifacts(client, run)) == [
        "history.csv",
        *(f"pictures/{kind}-unseen_clean.png" for kind in ("calibration", "confusion", "f1")),
        "plots/calibration_unseen_clean.csv",
        "plots/confusion_unseen_clean.csv",
        "plots/f1_unseen_clean.csv",
        "test.json",
    ]


def test_a_run_is_recorded_in_the_repository_that_dvc_names(root, knobs, monkeypatch, capfd):
    monkeypatch.setenv("DVC_EXP_NAME", "tardy-oboe")
    monkeypatch.setenv("DVC_ROOT", str(root))
    copy = root / "temporary"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("temporary"))
    monkeypatch.chdir(copy)
    before = set(copy.rglob("*"))
    mirror(knobs)
    assert capfd.readouterr() == ("", "")
    assert set(copy.rglob("*")) == before
    client, (run,) = store(root)
    assert run.info.run_name == "tardy-oboe"
    assert_whole(client, run, knobs)
    commit = git(root, "rev-parse", "HEAD")
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}
    assert len(tags.pop("content")) == 32
    assert tags == {
        "experiment": "tardy-oboe",
        "commit": commit,
        "dirty": "false",
        "model": hashlib.md5(b"weights").hexdigest(),
        "data": "0123456789abcdef0123456789abcdef.dir",
    }
    picture = root / "mlartifacts" / run.info.run_id / "artifacts/pictures/confusion-unseen_clean.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_same_content_is_recorded_once_a_name(root, knobs, monkeypatch):
    mirror(knobs)
    commit = git(root, "rev-parse", "--short=7", "HEAD")
    assert names(root) == [commit]
    mirror(replace(knobs, workers=7))  # computed again on another machine
    git(root, "commit", "--allow-empty", "-qm", "another")
    mirror(knobs)
    assert names(root) == [commit]
    monkeypatch.setenv("DVC_EXP_NAME", "calm-cello")
    for _ in range(2):
        mirror(knobs)
    assert names(root) == sorted([commit, "calm-cello"])
    monkeypatch.setenv("DVC_EXP_NAME", "it's")
    mirror(knobs)
    monkeypatch.delenv("DVC_EXP_NAME")
    mirror(knobs)
    assert names(root) == sorted([commit, "calm-cello", "it's"])


def test_other_content_is_another_run(root, knobs):
    plots = root / "metrics/plots"
    (plots / "confusion_unseen_clean.csv").unlink()  # no pictures, for speed
    changes = [
        lambda: None,
        lambda: (root / "models/history.csv").write_text(HISTORY.replace("2.5", "2.4")),
        lambda: (root / "models/classifier.keras").write_bytes(b"other weights"),
        lambda: (root / "data.dvc").write_text(DATA.replace("0123", "3210")),
        lambda: (plots / "calibration_unseen_clean.csv").write_text(CALIBRATION.replace("0.2", "0.3")),
        lambda: (plots / "f1_unseen_clean.csv").rename(plots / "f1_recordings.csv"),
    ]
    for number, change in enumerate(changes, 1):
        change()
        mirror(knobs)
        assert len(names(root)) == number
    mirror(replace(knobs, seed=knobs.seed + 1))
    assert len(names(root)) == len(changes) + 1


def test_what_was_broken_off_is_recorded_again(root, knobs):
    mirror(knobs)
    client, (run,) = store(root)
    client.update_run(run.info.run_id, "RUNNING")  # as a kill leaves it
    mirror(knobs)
    assert [each.info.status for each in store(root)[1]] == ["FINISHED", "RUNNING"]


def test_a_picture_that_cannot_be_drawn_costs_one_line(root, knobs, capfd):
    (root / "metrics/plots/f1_unseen_clean.csv").write_text("class\nviolin\n")
    mirror(knobs)
    assert_one_warning(capfd)


def test_a_tree_is_dirty_where_the_run_does_not_show_what_changed(root, knobs, monkeypatch):
    cases = {"params.yaml": "false", "dvc.lock": "false", "metrics/test.json": "false", "code.py": "true"}
    for path in cases:
        (root / path).write_text("before\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "before")
    (root / "notes.txt").write_text("untracked\n")
    for path, dirty in cases.items():
        (root / path).write_text("after\n")
        monkeypatch.setenv("DVC_EXP_NAME", path)
        mirror(knobs)
        assert store(root)[1][0].data.tags["dirty"] == dirty


def test_outside_git_a_run_has_neither_commit_nor_trouble(root, knobs, monkeypatch, capfd):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    shutil.rmtree(root / ".git")
    mirror(knobs)
    assert capfd.readouterr() == ("", "")
    (run,) = store(root)[1]
    assert run.info.run_name
    assert not {"commit", "dirty"} & run.data.tags.keys()


def test_a_server_is_written_to_once(root, knobs, monkeypatch, mlflow_server, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # a busy machine is given time
    monkeypatch.setenv("DVC_EXP_NAME", "on-a-server")
    for _ in range(2):
        mirror(knobs)
    assert capfd.readouterr() == ("", "")
    client, runs = store(root, mlflow_server)
    (run,) = (each for each in runs if each.info.run_name == "on-a-server")  # other tests write to this server, too
    assert_whole(client, run, knobs)
    assert not (root / "mlflow.db").exists()
    assert not (root / "mlartifacts").exists()


def test_a_relative_sqlite_address_is_the_repositorys(root, knobs, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    mirror(knobs, root)
    client, (run,) = store(root, f"sqlite:///{root / 'other.db'}")
    assert_whole(client, run, knobs)
    assert (root / "mlartifacts").is_dir()


def test_runs_that_end_together_are_all_recorded(root, knobs):
    code = (
        "from instrec import params; from tests.tracking.mlflow import test_runs as t; "
        "t.mirror(params.load(t.ROOT / 'params.yaml'))"
    )
    path = f"{ROOT / 'tests'}{os.pathsep}{ROOT}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "DVC_EXP_NAME": name, "PYTHONPATH": path},
            stderr=subprocess.PIPE,
        )
        for name in ("first", "second")
    ]
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert names(root) == ["first", "second"]


STAGE = """\
from tests.tracking.mlflow import test_runs
from instrec import params

test_runs.mirror(params.load())
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


def test_an_unreachable_server_costs_one_line_and_seconds(root, knobs, monkeypatch, capfd):
    with socket.socket() as taken:  # bound but not listening: refuses every connection
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        start = time.monotonic()
        mirror(knobs)
    assert time.monotonic() - start < 20
    assert "Connection refused" in assert_one_warning(capfd)


def test_a_silent_server_costs_one_line_and_seconds(root, knobs, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        start = time.monotonic()
        mirror(knobs)
    assert time.monotonic() - start < 20
    assert_one_warning(capfd)


@pytest.mark.parametrize("address", ["file:///nowhere/mlruns", "carrier-pigeon://loft"])
def test_an_address_that_mlflow_refuses_costs_one_line(root, knobs, monkeypatch, capfd, address):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mirror(knobs)
    assert_one_warning(capfd)


def test_a_damaged_store_or_history_costs_one_line(root, knobs, capfd):
    (root / "models/history.csv").rename(root / "history.csv")
    mirror(knobs)
    assert_one_warning(capfd)
    assert not (root / "mlflow.db").exists()  # no half a run
    (root / "history.csv").rename(root / "models/history.csv")
    (root / "mlflow.db").write_text("not a database")
    mirror(knobs)
    assert_one_warning(capfd)


def assert_one_warning(capfd):
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("warning: not mirrored to MLflow: ")
    assert err.count("\n") == 1
    return err
