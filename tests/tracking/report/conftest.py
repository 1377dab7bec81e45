import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from instrec.tracking import report
from tests import report_project


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the project of a task, made once: to be read, not changed."""
    made: dict[str, Path] = {}

    def project(task: str) -> Path:
        if task not in made:
            made[task] = report_project.make(tmp_path_factory.mktemp(task), task)
        return made[task]

    return project


@pytest.fixture
def project(projects: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project of the default task as current folder: to be read, not changed."""
    folder = projects("count_presence")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def report_file(projects: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the project of the default task, compared with its own commit."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    with contextlib.chdir(projects("count_presence")):
        report.write(path, model=Path("models/classifier.keras"), base="HEAD")
    return path
