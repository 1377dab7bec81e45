"""Recipes in the pipeline in miniature: queued as experiments, and run as systems in a clone."""

from __future__ import annotations

import csv
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.miniature import dvc, environment, mirrored, ran

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
    for name in ("json", "md", "svg"):
        (built / f"docs/systems.{name}").unlink(missing_ok=True)
    (built / "recipes/tiny.yaml").write_text(TINY)
    (built / "recipes/tiny_lstm.yaml").write_text("extends: tiny\nparams: {model: {name: lstm, variant: units_64}}\n")
    author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    for command in (("add", "-A"), (*author, "commit", "-qm", "recipes")):
        subprocess.run(["git", *command], cwd=built, check=True)
    return built


def test_a_recipe_is_queued_and_run_as_an_experiment(with_recipes: Path) -> None:
    """test_experiments.py queues several."""
    options = subprocess.check_output(
        [sys.executable, "-m", "instrec", "dev", "recipe", "tiny_lstm", "--cpu"], cwd=with_recipes, text=True
    )
    dvc(with_recipes, "exp", "run", "--queue", "-n", "tiny_lstm", *options.split())
    dvc(with_recipes, "exp", "run", "--run-all")
    shown = dvc(with_recipes, "exp", "show", "--csv", "--drop", "^(build|models|data)")
    table = list(csv.DictReader(shown.splitlines()))
    row = {row["Experiment"]: row for row in table}["tiny_lstm"]
    assert row["unseen_clean.solo.top1"]
    assert (row["model.name"], row["model.variant"]) == ("lstm", "units_64")
    assert "tiny_lstm" in {run.data.tags.get("experiment") for run in mirrored(with_recipes)}


def systems(repository: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "instrec", "dev", "systems", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=repository, env=environment(), text=True, start_new_session=True, **pipes)


def said(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


def status(repository: Path) -> set[str]:
    return set(subprocess.check_output(["git", "status", "--porcelain"], cwd=repository, text=True).splitlines())


ARGUMENTS = ("tiny", "--run", "--budget", "cpu", "--seeds", "2")


def test_systems_are_run_in_a_clone_and_go_on_after_an_interruption(with_recipes: Path) -> None:
    before = status(with_recipes)
    log = with_recipes / ".systems/tiny-20.log"
    interrupted = systems(with_recipes, *ARGUMENTS)
    while interrupted.poll() is None and not (log.exists() and "Running stage 'spectrograms'" in log.read_text()):
        time.sleep(0.05)
    os.killpg(interrupted.pid, signal.SIGINT)  # as Ctrl-C does
    _, errors = interrupted.communicate()
    assert interrupted.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("interrupted")

    assert said(systems(with_recipes, *ARGUMENTS)) == "docs/systems.md\n"
    assert not {"balance", "synthesize"} & set(ran(log.read_text()))
    runs = json.loads((with_recipes / "docs/systems.json").read_text())
    assert [(run["recipe"], run["seed"], run["budget"]) for run in runs] == [("tiny", 20, "cpu"), ("tiny", 21, "cpu")]
    assert all(run["speed"]["weights"] > 0 and run["metrics"]["unseen_clean"]["solo"] for run in runs)
    assert runs[0]["metrics"] != runs[1]["metrics"]
    assert all(datetime.date.fromisoformat(run["date"]) for run in runs)
    assert f"| 2 | {runs[0]['commit']} {runs[0]['date']}" in (with_recipes / "docs/systems.md").read_text()
    assert "tiny" in (with_recipes / "docs/systems.svg").read_text()
    assert {line.split()[-1] for line in status(with_recipes) - before} == {
        f"docs/systems{ending}" for ending in (".json", ".md", ".svg", "_metrics.svg")
    }


def test_systems_are_experiments_of_the_repository(with_recipes: Path) -> None:
    names = {"tiny-20-cpu", "tiny-21-cpu"}
    shown = dvc(with_recipes, "exp", "show", "--csv", "--drop", "^(build|models|data)")
    table = {row["Experiment"]: row for row in csv.DictReader(shown.splitlines())}
    assert {table[name]["seed"] for name in names} == {"20", "21"}
    assert all(table[name]["unseen_clean.solo.top1"] for name in names)
    runs = {run.data.tags.get("experiment"): run for run in mirrored(with_recipes)}
    assert names <= set(runs)
    assert all(Path(runs[name].info.artifact_uri.removeprefix("file://")).is_dir() for name in names)
    assert not (with_recipes / ".systems/mlflow.db").exists()


def test_what_is_done_is_run_again_only_for_another_commit(with_recipes: Path) -> None:
    assert "nothing to run" in said(systems(with_recipes, *ARGUMENTS, "--anew"))
    path = with_recipes / "docs/systems.json"
    runs = json.loads(path.read_text())
    path.write_text(json.dumps([runs[0], runs[1] | {"commit": "abcdef0"}]))
    assert "nothing to run" in said(systems(with_recipes, *ARGUMENTS))
    assert "nothing to run" not in said(systems(with_recipes, *ARGUMENTS, "--anew"))
    again = json.loads(path.read_text())
    assert [run["metrics"] for run in again] == [run["metrics"] for run in runs]
    assert again[1]["commit"] == runs[0]["commit"]
