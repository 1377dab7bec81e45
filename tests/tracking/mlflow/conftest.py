"""A repository after a run, and its params."""

from __future__ import annotations

import pytest

from instrec import params
from instrec.tracking.mlflow import runs
from tests.tracking.mlflow.mirroring import (
    ROOT,
    fill,
    git,
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository after a run, the working directory; none of the caller's own MLflow or DVC settings."""
    import mlflow  # noqa: F401 - with the settings of tests/conftest.py, which it reads once

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
def parameters():
    return params.load(ROOT / "params.yaml")
