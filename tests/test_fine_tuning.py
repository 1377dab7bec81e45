"""A few recordings on top of a trained model, by the commands of docs/fine-tuning.md, in the pipeline in miniature."""

import csv
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import documented
from tests.miniature import MINIATURE, dvc, environment, locked, set_params

pytestmark = pytest.mark.long

RATE = 22050
PLAYERS = ("ann", "bob", "eve", "joe")


def record(repository: Path) -> None:
    """Tones in place of recordings: for each class and player one of three clips' length."""
    t = np.arange(9 * RATE) / RATE
    for number, name in enumerate(MINIATURE["classes"]):
        for player in PLAYERS:
            path = repository / f"recordings/{name}/{player}/1.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * (number + 1) * t), RATE)


@pytest.fixture(scope="module")
def tuned(miniature: Path, module_folder: Path) -> Path:
    repository = shutil.copytree(miniature, module_folder / "repository")
    set_params(repository, {"tracking.mlflow": False})
    shutil.copy(repository / "models/classifier.keras", repository / "released/start.keras")
    record(repository)
    lines = [line for line in documented.commands("fine-tuning.md") if not line.startswith("recordings/")]
    command, gate, _ = lines  # the last, from a network that knows AudioSet, needs a network
    ours = {
        "classifier.keras": "start.keras",
        "width=32": "width=4",
        "epochs=12": "epochs=2",
        "=60": "=12",
        "=300": "=12",
    }
    for theirs, small in ours.items():
        assert theirs in command
        command = command.replace(theirs, small)
    dvc(repository, *shlex.split(command)[1:])
    judged = subprocess.run(shlex.split(gate), cwd=repository, env=environment(), text=True, capture_output=True)
    assert judged.returncode == 1, judged.stderr  # the miniature reaches no floor of gate.yaml
    assert "`train.start`" in judged.stdout
    return repository


def test_groups_never_cross_a_split(tuned: Path) -> None:
    with (tuned / "build/manifest.csv").open() as file:
        recorded = [clip for clip in csv.DictReader(file) if clip["source"] == "recording"]
    splits: dict[str, set[str]] = {}
    for clip in recorded:
        splits.setdefault(clip["group"], set()).add(clip["split"])
    assert splits.keys() == set(PLAYERS)  # one plays all four instruments, and still is in one split
    assert all(len(found) == 1 for found in splits.values())
    for name in MINIATURE["classes"]:
        assert {clip["split"] for clip in recorded if clip["labels"] == name} == {"train", "valid", "recordings"}


def test_they_have_figures_of_their_own(tuned: Path) -> None:
    metrics = json.loads((tuned / "metrics/test.json").read_text())
    assert metrics["recordings"]["solo"]["clips"] > 0
    assert {"seen_clean", "unseen_clean"} < metrics.keys()


def test_it_went_on_from_the_other_model(tuned: Path) -> None:
    """test_starting.py shows that its weights are taken."""
    (parameters,) = locked(tuned)["train"]["params"].values()
    assert parameters["train"]["start"] == "released/start.keras"
