"""The notebook of docs/notebook.md runs from top to bottom, and hears the guitar and the drum that it makes."""

import json
from typing import Any

import pytest
from matplotlib.figure import Figure

from tests import documented


def test_it_runs_from_top_to_bottom(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    cells = json.loads((repository / "examples/instruments.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), namespace)
    said = capsys.readouterr().out
    assert "_guitar: " in said
    assert "\tdrums\n" in said
    assert isinstance(namespace["prediction"].plot(), Figure)
    assert list(tmp_path.iterdir()) == []


def test_it_is_kept_without_outputs(repository):
    cells = json.loads((repository / "examples/instruments.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("word", ["instrec[plot]", "pandas"])
def test_the_page_names_what_it_imports(repository, word):
    assert word in documented.commands("notebook.md")[0]
    assert word in (repository / "examples/instruments.ipynb").read_text(encoding="utf-8").replace("\\", "")
