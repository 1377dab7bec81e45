"""The MLflow mirror: in a real sqlite store and on a real server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from instrec.tracking.mlflow import runs
from tests.refusals import refused
from tests.tracking.mlflow.mirroring import (
    CALIBRATION,
    DATA,
    HISTORY,
    ROOT,
    assert_whole,
    git,
    mirror,
    names,
    store,
)

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # SQLAlchemy's word to MLflow


@pytest.mark.parametrize("content", ["", "outs: 3\n", "outs: []\n", "outs: [{path: data}]\n", "- outs\n"])
def test_a_file_of_dvc_without_a_checksum_is_named(tmp_path, content):
    (tmp_path / "data.dvc").write_text(content)
    with refused("document-unreadable", tmp_path / "data.dvc", "git checkout"):
        runs.md5(tmp_path / "data.dvc")


def test_a_run_is_recorded_in_the_repository_that_dvc_names(root, parameters, monkeypatch, capfd):
    monkeypatch.setenv("DVC_EXP_NAME", "tardy-oboe")
    monkeypatch.setenv("DVC_ROOT", str(root))
    copy = root / "temporary"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("temporary"))
    monkeypatch.chdir(copy)
    before = set(copy.rglob("*"))
    mirror(parameters)
    assert capfd.readouterr() == ("", "")
    assert set(copy.rglob("*")) == before
    client, (run,) = store(root)
    assert run.info.run_name == "tardy-oboe"
    assert_whole(client, run, parameters)
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
    image = root / "mlartifacts" / run.info.run_id / "artifacts/charts/confusion-unseen_clean.png"
    assert image.read_bytes().startswith(b"\x89PNG")


def test_the_same_content_is_recorded_once_a_name(root, parameters, monkeypatch):
    mirror(parameters)
    commit = git(root, "rev-parse", "--short=7", "HEAD")
    assert names(root) == [commit]
    mirror(replace(parameters, workers=7))  # computed again on another machine
    git(root, "commit", "--allow-empty", "-qm", "another")
    mirror(parameters)
    assert names(root) == [commit]
    monkeypatch.setenv("DVC_EXP_NAME", "calm-cello")
    for _ in range(2):
        mirror(parameters)
    assert names(root) == sorted([commit, "calm-cello"])
    monkeypatch.setenv("DVC_EXP_NAME", "it's")
    mirror(parameters)
    monkeypatch.delenv("DVC_EXP_NAME")
    mirror(parameters)
    assert names(root) == sorted([commit, "calm-cello", "it's"])


def test_other_content_is_another_run(root, parameters):
    plots = root / "metrics/plots"
    (plots / "confusion_unseen_clean.csv").unlink()  # no images, for speed
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
        mirror(parameters)
        assert len(names(root)) == number
    mirror(replace(parameters, seed=parameters.seed + 1))
    assert len(names(root)) == len(changes) + 1


def test_what_was_broken_off_is_recorded_again(root, parameters):
    mirror(parameters)
    client, (run,) = store(root)
    client.update_run(run.info.run_id, "RUNNING")  # as a kill leaves it
    mirror(parameters)
    assert [each.info.status for each in store(root)[1]] == ["FINISHED", "RUNNING"]


def test_a_tree_is_dirty_where_the_run_does_not_show_what_changed(root, parameters, monkeypatch):
    cases = {"params.yaml": "false", "dvc.lock": "false", "metrics/test.json": "false", "code.py": "true"}
    for path in cases:
        (root / path).write_text("before\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "before")
    (root / "notes.txt").write_text("untracked\n")
    for path, dirty in cases.items():
        (root / path).write_text("after\n")
        monkeypatch.setenv("DVC_EXP_NAME", path)
        mirror(parameters)
        assert store(root)[1][0].data.tags["dirty"] == dirty


def test_outside_git_a_run_has_neither_commit_nor_trouble(root, parameters, monkeypatch, capfd):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    shutil.rmtree(root / ".git")
    mirror(parameters)
    assert capfd.readouterr() == ("", "")
    (run,) = store(root)[1]
    assert run.info.run_name
    assert not {"commit", "dirty"} & run.data.tags.keys()


def test_a_server_is_written_to_once(root, parameters, monkeypatch, mlflow_server, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # a busy machine is given time
    monkeypatch.setenv("DVC_EXP_NAME", "on-a-server")
    for _ in range(2):
        mirror(parameters)
    assert capfd.readouterr() == ("", "")
    client, runs = store(root, mlflow_server)
    (run,) = (each for each in runs if each.info.run_name == "on-a-server")  # other tests write to this server, too
    assert_whole(client, run, parameters)
    assert not (root / "mlflow.db").exists()
    assert not (root / "mlartifacts").exists()


def test_a_relative_sqlite_address_is_the_repositorys(root, parameters, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    mirror(parameters, root)
    client, (run,) = store(root, f"sqlite:///{root / 'other.db'}")
    assert_whole(client, run, parameters)
    assert (root / "mlartifacts").is_dir()


def test_files_lie_beside_the_database_of_another_repository(root, parameters, monkeypatch, tmp_path):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other/mlflow.db'}")
    mirror(parameters)
    assert len(store(root, f"sqlite:///{tmp_path / 'other/mlflow.db'}")[1]) == 1
    assert len(list((tmp_path / "other/mlartifacts").iterdir())) == 1
    assert not (root / "mlartifacts").exists()


def test_runs_that_end_together_are_all_recorded(root, parameters):
    code = (
        "from instrec import params; from tests.tracking.mlflow import mirroring as t; "
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
