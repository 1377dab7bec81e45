"""Stage evaluate: a saved model, spectrograms and the manifest become metrics; every kind of test set at once."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from instrec import features
from instrec.corpus import manifest
from instrec.models import classifier
from instrec.tracking import summary
from instrec.util import hdf5
from stages import evaluate
from tests.refusals import refused
from tests.tone_model import RATE, TONES, build, tone

ROOT = Path(__file__).parents[2]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
CLASSES = tuple(TONES)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A project with a trained model, but without test sets."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    tree["evaluate"]["bootstrap_rounds"] = 20
    tree["tracking"]["mlflow"] = False
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    known = build()
    classifier.save(tmp_path / "models" / "classifier.keras", known.model, known.card)
    columns = ("epoch", "loss", "val_loss", "val_presence_f1", "val_count_accuracy")
    (tmp_path / "models" / "history.csv").write_text(f"{','.join(columns)}\n1,1,1,0,0\n2,0.5,0.5,1,1\n")
    (tmp_path / "build" / "spectrograms").mkdir(parents=True)
    manifest.write(tmp_path / "build" / "manifest.csv", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add_sets(workplace):
    """Solo clips and mixtures of a set, and ten excerpts of two windows each, two of them a song."""
    card = build().card
    representation = features.from_params(card.clip, card.spectrogram)
    pairs = [CLASSES[:2], CLASSES[1:]]
    sets: dict[str, list[Any]] = {
        "unseen_clean": [(f"solo/{name}-0", (name,), name) for name in CLASSES]
        + [(f"mixture/2-{number}", pair, str(number)) for number, pair in enumerate(pairs)],
        "irmas": [
            (f"excerpt/{number}@{onset}", pairs[number % 2], f"song-{number // 2}")
            for number in range(10)
            for onset in ("0000.00", "0000.50")
        ],
        "train": [("solo/flute-0", ("flute",), "flute")],
        "valid": [(f"solo/{name}-0", (name,), name) for name in CLASSES]
        + [(f"mixture/2-{number}", pair, str(number)) for number, pair in enumerate(pairs)],
    }
    clips = []
    for split, rows in sets.items():
        ids = [f"{split}/{name}" for name, _, _ in rows]
        sound = [np.sum([tone(name, 1.0) for name in labels], axis=0) for _, labels, _ in rows]
        inputs = representation.batch(np.stack(sound).astype(np.float32))
        with hdf5.create(
            workplace / "build" / "spectrograms" / f"{split}.h5",
            name="features",
            shape=inputs.shape[1:],
            dtype=np.float16,
            ids=ids,
            labels=np.array([[name in labels for name in CLASSES] for _, labels, _ in rows], np.uint8),
            classes=CLASSES,
        ) as writer:
            writer.append(inputs)
        clips += [
            manifest.Clip(clip, split, manifest.SCORE, "", 0.0, labels, song, "", manifest.CLEAN, RATE)
            for clip, (_, labels, song) in zip(ids, rows, strict=True)
        ]
    manifest.write(workplace / "build" / "manifest.csv", clips)


def test_every_test_set_is_scored_and_training_is_not(workplace, capsys):
    add_sets(workplace)
    evaluate.main()
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert {name: list(kinds) for name, kinds in metrics.items()} == {
        "irmas": ["excerpts"],
        "unseen_clean": ["solo", "mixtures"],
    }
    assert metrics["unseen_clean"]["solo"]["top1"] == 1
    assert metrics["unseen_clean"]["mixtures"]["micro_f1"] == 1
    excerpts = metrics["irmas"]["excerpts"]
    assert (excerpts["clips"], excerpts["micro_f1"], excerpts["lrap"]) == (10, 1, 1)
    assert excerpts["s1_global"]["clips"] == excerpts["logits_class"]["clips"] == 4
    assert sorted(path.name for path in Path("metrics/plots").iterdir()) == [
        "calibration_irmas.csv",
        "calibration_unseen_clean.csv",
        "calibration_valid.csv",
        "class_sweep_valid.csv",
        "confusion_unseen_clean.csv",
        "counts_unseen_clean.csv",
        "f1_unseen_clean.csv",
        "history.csv",
        "s1_class_sweep_irmas.csv",
        "s1_sweep_irmas.csv",
        "s2_class_sweep_irmas.csv",
        "s2_sweep_irmas.csv",
        "spectrograms.png",
        "sweep_valid.csv",
        "thresholds.csv",
    ]
    assert Path("metrics/plots/history.csv").read_bytes() == Path("models/history.csv").read_bytes()
    summary.main()
    assert "s2_class" in capsys.readouterr().out


def test_dvc_yaml_plots_what_is_written(workplace):
    add_sets(workplace)
    evaluate.main()
    plots = [next(iter(plot.items())) for plot in DVC["plots"] if isinstance(plot, dict)]
    drawn = set()
    for _, plot in plots:
        for axis in ("x", "y"):
            named = plot[axis] if isinstance(plot[axis], dict) else dict.fromkeys(plot["y"], plot[axis])
            for file, columns in named.items():
                if Path(file).is_file():
                    drawn.add(file)
                    columns = [columns] if isinstance(columns, str) else columns
                    template = ROOT / ".dvc" / "plots" / f"{plot.get('template')}.json"
                    fields = re.findall('"field": "([a-z]+)"', template.read_text()) if template.exists() else []
                    with Path(file).open() as table:
                        assert {*columns, *fields} - {"rev", "both"} <= set(next(csv.reader(table)))
    written = {f"metrics/plots/{path.name}" for path in Path("metrics/plots").glob("*_unseen_clean.csv")}
    others = {f"metrics/plots/{name}.csv" for name in ("calibration_valid", "sweep_valid", "history")}
    assert written | others == drawn
    assert "metrics/plots/spectrograms.png" in DVC["plots"]


def test_a_task_of_solo_clips_passes_over_the_others(workplace):
    add_sets(workplace)
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["task"] = "solo"
    tree["train"]["mix_probability"] = tree["balance"]["train_mixtures"] = tree["balance"]["valid_mixtures"] = 0
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    evaluate.main()
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert {name: list(kinds) for name, kinds in metrics.items()} == {"unseen_clean": ["solo"]}


def test_no_test_set_names_the_parameter_that_makes_one(workplace):
    with refused("test-set-missing", "build/spectrograms", "task count_presence", "balance.composed_per_class"):
        evaluate.main()


def test_no_manifest_names_the_stage_to_run(workplace):
    shutil.rmtree("build")
    with refused("table-invalid", "build/manifest.csv", "`dvc repro balance`"):
        evaluate.main()
