"""The whole pipeline in miniature, with real DVC in a repository of its own: what runs when, and what it leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.miniature import dvc, environment, mirrored, outputs, ran, set_params

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def built(miniature: Path, module_folder: Path) -> Path:
    return shutil.copytree(miniature, module_folder / "repository")


def stale(repository: Path) -> list[str]:
    """The stages whose own dependencies have changed; what comes after them runs if their outputs change, as
    test_team.py shows."""
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
