"""A repository with a branch for whatever a pull request may bring, and GitHub."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import toy_pipeline
from tests.shared import once
from tests.workflows.github import GH, GitHub


@pytest.fixture
def github(tmp_path) -> GitHub:
    folder = tmp_path / "github"
    folder.mkdir()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    return GitHub(folder)


def rebuilt(learning_rate: float) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        toy_pipeline.set_learning_rate(tree, learning_rate)
        toy_pipeline.rebuild(tree)

    return change


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda tree: toy_pipeline.replace(tree, file, old, new)


def without_a_metric(tree: Path) -> None:
    toy_pipeline.replace(tree, "toy.py", '"top1", ', "")
    toy_pipeline.rebuild(tree)


BRANCHES = {
    "better": rebuilt(0.004),
    "noise": rebuilt(0.0029),
    "worse": rebuilt(0.002),
    "not-rebuilt": edited("params.yaml", "learning_rate: 0.003", "learning_rate: 0.004"),
    "broken-lock": edited("dvc.lock", "schema:", "<<<<<<< HEAD\nschema:"),
    "tampered-data": edited("data.dvc", "md5: ", "md5: 0"),
    "tampered-metrics": edited("metrics/test.json", "0.6", "0.9"),
    "missing-metric": without_a_metric,
}


@pytest.fixture(scope="session")
def origin(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a branch for whatever a pull request may bring; it is not to be changed, but cloned."""

    def build(folder: Path) -> None:
        shutil.copytree(toy, folder, symlinks=True)
        for name, change in BRANCHES.items():
            toy_pipeline.branch(folder, name, change)

    return once(tmp_path_factory, "workflows", build)
