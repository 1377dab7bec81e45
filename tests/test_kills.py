"""What a kill leaves, in short: `python -m benchmarks.kills` does it a hundred times, at random."""

import shutil
from pathlib import Path

import pytest

from benchmarks import kills

STAGE = "spectrograms"  # it has workers


@pytest.fixture(scope="module")
def repository(miniature: Path, module_folder: Path) -> Path:
    return shutil.copytree(miniature, module_folder / "repository")


@pytest.fixture(scope="module")
def seconds(repository: Path) -> kills.Seconds:
    return kills.timed(repository, STAGE)


@pytest.mark.parametrize(
    ("target", "signal", "share"),
    [("group", "SIGTERM", 0.6), ("dvc", "SIGKILL", 0.7), ("stage", "SIGINT", 0.3), (kills.SECOND, "", 0.5)],
)
def test_after_a_kill_the_lock_becomes_the_same(
    repository: Path, seconds: kills.Seconds, target: str, signal: str, share: float
) -> None:
    outcome = kills.run(repository, kills.Kill(STAGE, target, signal, share), seconds)
    assert outcome.wrong == [], outcome.log
