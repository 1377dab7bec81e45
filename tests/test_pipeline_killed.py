"""The whole pipeline in miniature, killed in every stage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.miniature import dvc, environment, locked, make_repository, outputs, set_params

pytestmark = pytest.mark.long


def test_killed_in_every_stage_and_with_other_workers_it_ends_with_the_same_bytes(
    miniature: Path, tmp_path: Path
) -> None:
    """Once from scratch, killed (SIGKILL, the whole group) in each stage in turn; the second `dvc repro` goes on."""
    repository = make_repository(tmp_path / "repository")
    set_params(repository, {"workers": 2, "tracking.mlflow": False})
    started = {
        "balance": lambda: (repository / "datasets/index.csv").exists(),
        "synthesize": lambda: any((repository / "build/audio").glob(".*.part")),
        "spectrograms": lambda: any((repository / "build/spectrograms").glob(".*.part")),
        "train": lambda: any((repository / ".backup").glob("*/epoch-1.keras")),
        "evaluate": lambda: (repository / "models/history.csv").exists(),
    }
    for stage, begun in started.items():
        kill_when(repository, begun)
        assert stage not in locked(repository)
    dvc(repository, "repro")
    assert outputs(repository) == outputs(miniature)
    assert (repository / "metrics/test.json").read_bytes() == (miniature / "metrics/test.json").read_bytes()
    lock = (repository / "dvc.lock").read_text()
    assert lock == (miniature / "dvc.lock").read_text()


def kill_when(repository: Path, begun: object) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=repository,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and not begun():  # type: ignore[operator]
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
