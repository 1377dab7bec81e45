"""A repository with real DVC that the gate judges."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import toy_pipeline


@pytest.fixture(scope="session")
def own_toy(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(toy, tmp_path_factory.mktemp("gate") / "repository", symlinks=True)


@pytest.fixture
def tree(toy: Path, own_toy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The repository as committed, and the working directory; put right again in the end."""
    monkeypatch.chdir(own_toy)
    commit = toy_pipeline.run(own_toy, "git", "rev-parse", "main").strip()
    yield own_toy
    toy_pipeline.run(own_toy, "git", "reset", "--quiet", "--hard", commit)
    toy_pipeline.run(own_toy, "git", "clean", "--quiet", "--force", "-d")
    for outputs in ("data", "models"):  # git ignores them, DVC would take a second for each test
        shutil.rmtree(own_toy / outputs, ignore_errors=True)
        shutil.copytree(toy / outputs, own_toy / outputs)
