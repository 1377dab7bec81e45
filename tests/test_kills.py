"""Kills of the pipeline at random moments; `benchmarks/kills.py` makes a hundred of them."""

import shutil
import signal
from pathlib import Path

import pytest

from benchmarks.kills import Kill, run


@pytest.fixture(scope="module")
def repository(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(miniature, tmp_path_factory.mktemp("kills") / "repository")


@pytest.mark.parametrize(
    "kill",
    [
        Kill("synthesize", "group", signal.SIGKILL, 0.6),
        Kill("synthesize", "dvc", signal.SIGKILL, 0.7),
        Kill("spectrograms", "stage", signal.SIGTERM, 0.7),
        Kill("train", "stage", signal.SIGINT, 0.8),
        Kill("synthesize", "second run", signal.SIGKILL, 0.5),
    ],
    ids=lambda kill: f"{kill.stage}-{kill.target}-{kill.signal.name}",
)
def test_nothing_is_left_and_the_next_run_ends_the_same(repository: Path, kill: Kill) -> None:
    assert run(repository, kill, seconds=8.0) == []
