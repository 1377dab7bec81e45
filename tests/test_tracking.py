"""The MLflow mirror: against a real sqlite store, and against a server that is not there."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from instrec import params, tracking

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # SQLAlchemy's word to MLflow

HISTORY = "epoch,loss,val_top1\n0,2.5,0.25\n1,1.5,0.5\n"
METRICS = {"unseen_clean": {"solo": {"clips": 4, "top1": 0.75, "intervals": {"top1": [0.5, 1.0]}}}}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A repository's folder and its history; none of the caller's own MLflow or DVC settings."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", *tracking.SETTINGS):
        monkeypatch.setenv(name, "")  # so that what the mirror sets is taken back, too
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    root = tmp_path / "a repository"
    root.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(root))
    history = root / "history.csv"
    history.write_text(HISTORY)
    return root, history


@pytest.fixture
def knobs():
    return params.load(Path(__file__).parents[1] / "params.yaml")


def test_a_run_is_recorded_beside_the_repository(run, knobs, monkeypatch, capfd):
    root, history = run
    monkeypatch.setenv("DVC_EXP_NAME", "tardy-oboe")
    (root / "elsewhere").mkdir()
    monkeypatch.chdir(root / "elsewhere")
    for _ in range(2):  # the second finds the store there
        tracking.mirror(knobs, history, METRICS, [history])
    assert capfd.readouterr() == ("", "")
    assert not list((root / "elsewhere").iterdir())

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("instrec")
    recorded, _ = client.search_runs([experiment.experiment_id])
    assert recorded.info.run_name == "tardy-oboe"
    assert recorded.info.status == "FINISHED"
    assert recorded.data.params["train.learning_rate"] == str(knobs.train.learning_rate)
    assert recorded.data.metrics == {
        "unseen_clean.solo.clips": 4,
        "unseen_clean.solo.top1": 0.75,
        "loss": 1.5,
        "val_top1": 0.5,
    }
    curve = client.get_metric_history(recorded.info.run_id, "loss")
    assert [(point.step, point.value) for point in curve] == [(0, 2.5), (1, 1.5)]
    artefacts = root / "mlartifacts" / recorded.info.run_id / "artifacts"
    assert (artefacts / "history.csv").read_text() == HISTORY


def test_an_unreachable_server_costs_one_line_and_seconds(run, knobs, monkeypatch, capfd):
    with socket.socket() as taken:  # bound but not listening: refuses every connection
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        start = time.monotonic()
        tracking.mirror(knobs, run[1], METRICS, [])
    assert time.monotonic() - start < 20
    assert_one_warning(capfd)


def test_a_silent_server_costs_one_line_and_seconds(run, knobs, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        start = time.monotonic()
        tracking.mirror(knobs, run[1], METRICS, [])
    assert time.monotonic() - start < 20
    assert_one_warning(capfd)


def test_a_damaged_store_or_history_costs_one_line(run, knobs, capfd):
    root, history = run
    tracking.mirror(knobs, root / "nowhere.csv", METRICS, [])
    assert_one_warning(capfd)
    assert not (root / "mlflow.db").exists()  # no half a run
    (root / "mlflow.db").write_text("not a database")
    tracking.mirror(knobs, history, METRICS, [])
    assert_one_warning(capfd)


def assert_one_warning(capfd):
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("warning: not mirrored to MLflow: ")
    assert err.count("\n") == 1
