from collections.abc import Callable
from pathlib import Path

import pytest
import report_project


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the project of a task, made once: to be read, not changed."""
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
