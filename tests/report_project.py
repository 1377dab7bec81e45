"""A project in miniature: a model that knows three tones, test sets of them, and what stage evaluate writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import yaml

from instrec import features
from instrec.evaluation import example_spectrograms, plot_tables, test_sets
from instrec.models import classifier
from instrec.models.classifier import Classifier
from instrec.util import hdf5
from tests.tone_model import CARD, RATE, TONES, build, tone

ROOT = Path(__file__).parents[1]
CLASSES = tuple(TONES)
HISTORY = {
    "loss": (3.0, 2.0),
    "val_loss": (3.1, 2.2),
    "presence_f1": (0.3, 0.5),
    "val_presence_f1": (0.2, 0.4),
    "count_accuracy": (0.5, 0.6),
    "val_count_accuracy": (0.5, 0.7),
}

# Name of a clip, what its labels say, what sounds; one is labeled wrongly, so that the model is surely wrong about it.
SOLO = [(f"solo/{name}-{number}", (name,), (name,)) for name in CLASSES for number in range(2)]
WRONG = ("solo/violin-9", ("violin",), ("flute",))
MIXTURES = [(f"mixture/2-{number}", pair, pair) for number, pair in enumerate((CLASSES[:2], CLASSES[1:]))]
EXCERPTS = [
    (f"excerpt/{number}@{onset}", CLASSES[1:], CLASSES[1:]) for number in range(6) for onset in ("00000.00", "00000.50")
]
SETS = {
    "unseen_clean": [*SOLO, WRONG, *MIXTURES, ("mixture/0-0", (), ())],
    "unseen_excerpts": EXCERPTS,
    "valid": [*SOLO, *MIXTURES],
}


def add_set(
    folder: Path, name: str, clips: list[tuple[str, tuple[str, ...], tuple[str, ...]]], unknown: tuple[str, ...] = ()
) -> None:
    """Write audio and spectrograms of a set; classes that are unknown are so in all clips."""
    representation = features.from_params(CARD.clip, CARD.spectrogram)
    sound = np.stack([sum((tone(each, 1.0) for each in sounding), np.zeros(RATE)) for _, _, sounding in clips])
    labels = np.array([[each in labels for each in CLASSES] for _, labels, _ in clips], np.uint8)
    rows = {
        "audio": (np.round(sound * 32767 / 3).astype(np.int16), {"sample_rate": RATE}),
        "spectrograms": (representation.batch(sound.astype(np.float32)).astype(np.float16), {}),
    }
    for kind, (data, attrs) in rows.items():
        with hdf5.create(
            folder / "build" / kind / f"{name}.h5",
            name=kind,
            shape=data.shape[1:],
            dtype=data.dtype,
            ids=[f"{name}/{identity}" for identity, _, _ in clips],
            labels=labels,
            classes=CLASSES,
            unknown=np.array([[each in unknown for each in CLASSES]] * len(clips), np.uint8),
            **attrs,
        ) as writer:
            writer.append(data)


def split(project: Path, folder: Path, name: str) -> None:
    """Write a set of a project anew, with each clip's audio as a pair of parts that add up to it."""
    shutil.copytree(project / "build/spectrograms", folder / "build/spectrograms")
    with hdf5.open_store(project / "build/audio" / f"{name}.h5") as clips:
        y = clips.read(0, len(clips))
        with hdf5.create(
            folder / "build/audio" / f"{name}.h5",
            name="audio",
            shape=(*clips.shape, 2),
            dtype=clips.dtype,
            ids=clips.ids,
            labels=clips.labels,
            classes=clips.classes,
            sample_rate=clips.attrs["sample_rate"],
        ) as writer:
            writer.append(np.stack([y - y // 4, y // 4], axis=-1))


def without_count(known: Classifier) -> Classifier:
    """The same model where the task is not to count."""
    outputs = {"presence": known.model.output["presence"]}
    return Classifier(keras.Model(known.model.inputs, outputs), known.card)


def make(folder: Path, task: str) -> Path:
    """Make the project of a task."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text()) | {"task": task, "classes": list(CLASSES)}
    if task == "solo":
        tree["train"]["mix_probability"] = tree["balance"]["train_mixtures"] = tree["balance"]["valid_mixtures"] = 0
    (folder / "params.yaml").write_text(yaml.safe_dump(tree))
    known = build() if task == "count_presence" else without_count(build())
    classifier.save(folder / "models/classifier.keras", known.model, known.card)
    lines = [",".join(("epoch", *HISTORY))]
    lines += [",".join((str(epoch + 1), *(str(curve[epoch]) for curve in HISTORY.values()))) for epoch in range(2)]
    (folder / "models/history.csv").write_text("\n".join(lines) + "\n")
    for name, clips in SETS.items():
        add_set(folder, name, clips)
    songs = {f"{name}/{identity}": identity.split("@")[0] for name, clips in SETS.items() for identity, _, _ in clips}
    predicted = test_sets.predict_all(folder / "build/spectrograms", known, task=task, songs=songs)
    validation = predicted.pop("valid")
    parts = [part for own in predicted.values() for part in own]
    test_sets.write(folder / "metrics", parts, rounds=20, seed=1)
    plot_tables.write(folder / "metrics/plots", parts, validation, known.card.thresholds, rounds=20, seed=1)
    example_spectrograms.draw(folder / "metrics/plots/spectrograms.png", folder / "build/spectrograms", list(predicted))
    (folder / ".gitignore").write_text("models\nbuild\n")
    (folder / "dvc.yaml").write_text(
        "stages:\n"
        "  render: {cmd: 'true', desc: Make <sound>., outs: [build]}\n"
        "  train: {cmd: 'true', deps: [build], outs: [models]}\n"
        "  evaluate: {cmd: 'true', deps: [build, models], desc: Score it.}\n"
    )
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/dag.svg", folder / "docs")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        git(folder, *command)
    subprocess.run(["dvc", "init", "-q"], cwd=folder, check=True)
    return folder


def git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True)
