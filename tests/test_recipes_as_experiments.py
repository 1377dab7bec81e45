"""Recipes in the pipeline in miniature: queued as experiments, and run as systems in a clone."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.miniature import dvc, environment, mirrored

pytestmark = pytest.mark.long

TINY = """\
title: a small network
source: nobody
data: none
published: nothing
differs: in everything
params:
  task: multilabel
  model: {name: lenet, variant: 5x5}
cpu:
  train: {epochs: 1}
"""


@pytest.fixture(scope="module")
def with_recipes(miniature: Path, module_folder: Path) -> Path:
    """The built repository with two small recipes and no results of others, committed."""
    built = shutil.copytree(miniature, module_folder / "repository")
    for name in ("json", "md"):
        (built / f"docs/systems.{name}").unlink(missing_ok=True)
    (built / "recipes/tiny.yaml").write_text(TINY)
    (built / "recipes/tiny_lstm.yaml").write_text("extends: tiny\nparams: {model: {name: lstm, variant: units_64}}\n")
    author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    for command in (("add", "-A"), (*author, "commit", "-qm", "recipes")):
        subprocess.run(["git", *command], cwd=built, check=True)
    return built


def test_recipes_are_queued_and_run_as_experiments(with_recipes: Path) -> None:
    for name in ("tiny", "tiny_lstm"):
        options = subprocess.check_output(
            [sys.executable, "-m", "instrec", "dev", "recipe", name, "--cpu"], cwd=with_recipes, text=True
        )
        dvc(with_recipes, "exp", "run", "--queue", "-n", name, *options.split())
    dvc(with_recipes, "exp", "run", "--run-all")
    shown = dvc(with_recipes, "exp", "show", "--csv", "--drop", "^(build|models|data)")
    table = list(csv.DictReader(shown.splitlines()))
    figures = {row["Experiment"]: row["unseen_clean.solo.top1"] for row in table}
    assert figures["tiny"]
    assert figures["tiny_lstm"]
    names = {row["Experiment"]: (row["model.name"], row["model.variant"]) for row in table}
    assert (names["tiny"], names["tiny_lstm"]) == (("lenet", "5x5"), ("lstm", "units_64"))
    assert {"tiny", "tiny_lstm"} <= {run.data.tags.get("experiment") for run in mirrored(with_recipes)}


def test_systems_are_run_in_a_clone_and_what_is_done_is_not_done_again(with_recipes: Path) -> None:
    def systems(*arguments: str) -> str:
        command = [sys.executable, "-m", "instrec", "dev", "systems", *arguments]
        done = subprocess.run(command, cwd=with_recipes, env=environment(), text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=with_recipes)
    assert systems("tiny", "--run", "--budget", "cpu", "--seeds", "2") == "docs/systems.md\n"
    runs = json.loads((with_recipes / "docs/systems.json").read_text())
    assert [(run["recipe"], run["seed"], run["budget"]) for run in runs] == [("tiny", 20, "cpu"), ("tiny", 21, "cpu")]
    assert all(run["speed"]["weights"] > 0 and run["metrics"]["unseen_clean"]["solo"] for run in runs)
    assert runs[0]["metrics"] != runs[1]["metrics"]
    assert "(2 seeds)" in (with_recipes / "docs/systems.md").read_text()
    assert "nothing to run" in systems("tiny", "--run", "--budget", "cpu", "--seeds", "2")
    written = b"?? docs/systems.json\n?? docs/systems.md\n"
    after = subprocess.check_output(["git", "status", "--porcelain"], cwd=with_recipes)
    assert set(after.splitlines()) - set(before.splitlines()) <= {
        *written.splitlines(),
        b" M docs/systems.json",
        b" M docs/systems.md",
    }
