"""The whole pipeline in miniature, with real DVC in a repository of its own: what runs when, and what a kill leaves."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from tests.miniature import dvc, environment, locked, make_repository, outputs, ran, set_params

if TYPE_CHECKING:
    from mlflow.entities import Run


@pytest.fixture(scope="module")
def built(miniature: Path, module_folder: Path) -> Path:
    return shutil.copytree(miniature, module_folder / "repository")


def stale(repository: Path) -> list[str]:
    """The stages whose own dependencies have changed; what comes after them runs if their outputs change."""
    return ran(dvc(repository, "repro", "--dry"))


def test_everything_is_there_in_the_end(built: Path) -> None:
    metrics = json.loads((built / "metrics/test.json").read_text())
    assert metrics.pop("unseen_excerpts").keys() == {"excerpts"}
    assert metrics.keys() == {"seen_clean", "seen_noisy", "unseen_clean", "unseen_noisy"}
    for test_set in metrics.values():
        assert {"top1", "macro_f1", "intervals"} <= test_set["solo"].keys()
        assert {"micro_f1", "macro_f1", "count_accuracy", "exact_set", "lrap"} <= test_set["mixtures"].keys()
    assert (built / "models/history.csv").read_text().count("\n") == 1 + 3
    (run,) = mirrored(built)
    made = outputs(built)
    assert run.data.tags["model"] == made["models/classifier.keras"]
    assert run.data.tags["manifest"] == made["build/manifest.csv"]
    assert run.data.tags["data"] == yaml.safe_load((built / "data.dvc").read_text())["outs"][0]["md5"]
    shown = dvc(built, "plots", "show", "--json")
    for plot in ("Confusion, unseen SoundFont", "Calibration, validation data", "metrics/plots/spectrograms.png"):
        assert plot in shown


def test_a_second_run_does_nothing_and_says_so(built: Path) -> None:
    assert "up to date" in dvc(built, "repro")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"train.learning_rate": 0.001}, ["train"]),
        ({"noise.max_snr_db": 40.0}, ["synthesize", "train"]),  # the synthesis loop draws noise as well
        ({"spectrogram.mels": 48}, ["spectrograms", "train"]),
        ({"evaluate.bootstrap_rounds": 40}, ["evaluate"]),
        ({"balance.train_per_class": 25}, ["balance"]),
        ({"workers": 2, "tracking.mlflow": False}, []),
    ],
)
def test_a_param_makes_stale_only_what_reads_it(built: Path, change: dict[str, object], expected: list[str]) -> None:
    before = (built / "params.yaml").read_text()
    try:
        set_params(built, change)
        assert stale(built) == expected
    finally:
        (built / "params.yaml").write_text(before)


def test_another_learning_rate_trains_and_evaluates_and_renders_nothing(built: Path) -> None:
    before, lock = (built / "params.yaml").read_text(), (built / "dvc.lock").read_text()
    set_params(built, {"train.learning_rate": 0.001})
    assert ran(dvc(built, "repro")) == ["train", "evaluate"]
    (built / "params.yaml").write_text(before)
    assert ran(dvc(built, "repro")) == ["evaluate"]  # the trained model comes back from the run cache
    assert (built / "dvc.lock").read_text() == lock
    assert len(mirrored(built)) == 2  # what came back was there already


def test_a_typo_in_params_is_one_line_and_exit_code_2(built: Path) -> None:
    before = (built / "params.yaml").read_text()
    try:
        (built / "params.yaml").write_text(before.replace("learning_rate", "learning_rat"))
        done = subprocess.run(
            [sys.executable, "-m", "stages.balance"], cwd=built, env=environment(), text=True, capture_output=True
        )
    finally:
        (built / "params.yaml").write_text(before)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "train.learning_rat" in done.stderr
    assert "learning_rate" in done.stderr


def mirrored(repository: Path) -> list[Run]:
    """The runs in the repository's MLflow store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("instrec").experiment_id])


def test_killed_in_every_stage_and_with_other_workers_it_ends_with_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Once from scratch, killed (SIGKILL, the whole group) in each stage in turn; the second `dvc repro` goes on."""
    repository = make_repository(tmp_path / "repository")
    set_params(repository, {"workers": 2})
    started = {
        "balance": lambda: (repository / "datasets/index.csv").exists(),
        "synthesize": lambda: any((repository / "build/audio").glob(".*.part")),
        "spectrograms": lambda: any((repository / "build/spectrograms").glob(".*.part")),
        "train": lambda: any((repository / ".backup").glob("*/epoch-1.keras")),
        "evaluate": lambda: (repository / "models/history.csv").exists(),
    }
    for stage, begun in started.items():
        kill_when(repository, begun)
        assert stage not in locked(repository)
    dvc(repository, "repro")
    assert outputs(repository) == outputs(built)
    assert (repository / "metrics/test.json").read_bytes() == (built / "metrics/test.json").read_bytes()
    lock = (repository / "dvc.lock").read_text()
    assert lock == (built / "dvc.lock").read_text()


def kill_when(repository: Path, begun: object) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=repository,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and not begun():  # type: ignore[operator]
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_spectrograms_hold_what_the_manifest_says(built: Path) -> None:
    from instrec.corpus import manifest
    from instrec.util import hdf5

    clips = manifest.read(built / "build/manifest.csv")
    for split in manifest.splits(clips):
        with hdf5.open_store(built / "build/spectrograms" / f"{split}.h5") as inputs:
            own = manifest.of_split(clips, split)
            assert inputs.ids == [clip.id for clip in own]
            named = [tuple(np.array(inputs.classes)[row.astype(bool)]) for row in inputs.labels]
            assert named == [clip.labels for clip in own]


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
def with_recipes(built: Path) -> Path:
    """The built repository with two small recipes and no results of others, committed."""
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
