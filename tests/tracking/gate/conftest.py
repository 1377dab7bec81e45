"""A repository with real DVC that the gate judges."""

from pathlib import Path

import pytest

from tests import toy_pipeline


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_pipeline.make(tmp_path_factory.mktemp("gate") / "repository")


@pytest.fixture
def tree(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as committed, and the working directory; put right again in the end."""
    monkeypatch.chdir(toy)
    commit = toy_pipeline.run(toy, "git", "rev-parse", "main").strip()
    yield toy
    toy_pipeline.run(toy, "git", "reset", "--quiet", "--hard", commit)
    toy_pipeline.run(toy, "git", "clean", "--quiet", "--force", "-d")
