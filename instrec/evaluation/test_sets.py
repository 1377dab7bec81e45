"""What a model reaches on the test sets, as small files that git can compare.

    metrics/test.json                 every metric of every set, with bootstrap intervals
    metrics/per_class.csv             precision, recall, F1 and support of every class

Figures are rounded to four decimals, so that what differs between two commits is worth looking at.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from instrec.errors import UserError
from instrec.evaluation import metrics, protocols
from instrec.util.files import written_whole
from instrec.util.hdf5 import open_store
from instrec.util.seeding import generator

if TYPE_CHECKING:  # importing it imports keras
    from instrec.models.classifier import Classifier
    from instrec.util.hdf5 import Store

DIGITS = 4
BATCH = 256  # clips predicted at a time

SOLO, MIXTURES, EXCERPTS = "solo", "mixtures", "excerpts"
VALIDATION = "valid"  # the set where thresholds were chosen, which scores nothing
KINDS = {"solo": SOLO, "mixture": MIXTURES, "excerpt": EXCERPTS}  # by the second word of a clip's id


@dataclass(frozen=True)
class Part:
    """One kind of files of one test set, and what a model makes of them.

    A file is one clip, or several that are windows of it: their mean stands for the file.

    Attributes
    ----------
    test_set : name of the set.
    kind : `solo`, `mixtures` or `excerpts`.
    classes : what is asked for.
    labels : which classes sound [shape=(files, classes)], 0 or 1.
    presence : how sure the model is of each [shape=(files, classes)], 0..1.
    decisions : which it decides for, by its own thresholds [shape=(files, classes)], 0 or 1.
    count : probability of each number of instruments [shape=(files, counts)]; None where the model does not count.
    logits : as `presence`, but the mean of the windows' logits [shape=(files, classes)], 0..1.
    songs : which song each file is of.
    """

    test_set: str
    kind: str
    classes: tuple[str, ...]
    labels: NDArray[np.uint8]
    presence: NDArray[np.float32]
    decisions: NDArray[np.uint8]
    count: NDArray[np.float32] | None
    logits: NDArray[np.float32]
    songs: tuple[str, ...]


def predict_all(folder: Path, classifier: Classifier, *, task: str, songs: Mapping[str, str]) -> dict[str, list[Part]]:
    """Predict every set of spectrograms but the one of training, as `predict` does: {set: parts}, validation included.

    Raises
    ------
    UserError
        When no test set is there, or as `predict` does.
    """
    found = {}
    for path in sorted(folder.glob("*.h5")):
        if path.stem != "train":
            with open_store(path) as clips:
                found[path.stem] = predict(path.stem, clips, classifier, task=task, songs=songs)
    if not any(parts for name, parts in found.items() if name != VALIDATION):
        raise UserError(
            "test-set-missing",
            folder,
            f"holds no test set for task {task}; raise balance.composed_per_class in params.yaml and run `dvc repro`",
        )
    return found


def predict(test_set: str, store: Store, classifier: Classifier, *, task: str, songs: Mapping[str, str]) -> list[Part]:
    """Predict the clips of a test set, a kind at a time; a kind without clips is left out.

    Parameters
    ----------
    task : what the model was trained for; one of task `solo` is asked about solo clips alone.
    songs : the manifest's group of each clip, by id.

    Raises
    ------
    UserError
        When no class of the model's answers for one of the set's, or the set is not the manifest's.
    """
    if not songs.keys() >= set(store.ids):
        raise UserError("test-set-outdated", test_set, "holds clips that are not in the manifest; run `dvc repro`")
    kinds = np.array([KINDS[clip.split("/")[1]] for clip in store.ids], object)
    asked = np.flatnonzero(kinds == SOLO) if task == "solo" else np.arange(len(store))
    if not len(asked):
        return []
    columns = protocols.answering(store.classes, classifier.card.classes)
    presence, count = outputs(store, asked, classifier)
    parts = []
    for kind in KINDS.values():
        own = kinds[asked] == kind
        if not own.any():
            continue
        ids = [store.ids[row] for row in asked[own]]
        file_of = protocols.file_of(ids)
        means = protocols.mean(presence[own], file_of)
        part = Part(
            test_set=test_set,
            kind=kind,
            classes=store.classes,
            labels=(protocols.mean(store.labels[asked[own]].astype(float), file_of) > 0).astype(np.uint8),
            presence=protocols.answers(means, columns),
            decisions=protocols.answers(metrics.decide(means, classifier.card.thresholds), columns),
            count=None if count is None else protocols.mean(count[own], file_of),
            logits=protocols.answers(protocols.mean_of_logits(presence[own], file_of), columns),
            songs=tuple(songs[ids[first]] for first in np.unique(file_of, return_index=True)[1]),
        )
        parts.append(part)
    return parts


def outputs(
    store: Store, rows: NDArray[np.intp], classifier: Classifier
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return presence and count of clips, as `Classifier.predict` does, a batch in memory at a time.

    Silence holds nothing, whatever a model that never heard it says; `listening` does not ask one about it, either.
    """
    presences, counts = [], []
    for start in range(0, len(rows), BATCH):
        pictures = store.read_rows(rows[start : start + BATCH])
        presence, count = classifier.predict(pictures)
        silent = np.asarray(pictures.max(axis=(1, 2, 3)) == 0)[:, np.newaxis]
        presences.append(np.where(silent, 0, presence))
        if count is not None:
            counts.append(np.where(silent, np.eye(1, count.shape[1], dtype=count.dtype), count))
    return np.concatenate(presences), np.concatenate(counts) if counts else None


def write(folder: Path, parts: Sequence[Part], *, rounds: int, seed: int) -> dict[str, Any]:
    """Write every file and give the content of `test.json`.

    Parameters
    ----------
    folder : where `test.json` and `per_class.csv` go.
    parts : what `predict` gave, of one set after the other.
    rounds : resamplings behind each interval.
    seed : decides them, and the halves of excerpts.
    """
    for part in parts:
        metrics.validate(part.labels, part.presence, part.count)
    table = summary(parts, rounds=rounds, seed=seed)
    with written_whole(folder / "test.json") as path:
        path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    names = ("set", "part", "class", "precision", "recall", "f1", "support")
    write_csv(folder / "per_class.csv", names, _per_class(parts, seed))
    return table


def summary(parts: Iterable[Part], *, rounds: int, seed: int) -> dict[str, dict[str, Any]]:
    """Measure every part: {set: {kind: {`clips`, metrics, `intervals`: {metric: [low, high]}}}}.

    `clips` are files. Excerpts also have, by a protocol's name, the same of the files that score and the thresholds.
    """
    table: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part.kind == SOLO:
            measure = partial(metrics.solo, part.labels, part.presence)
        else:
            measure = partial(metrics.mixtures, part.labels, part.presence, part.decisions, part.count)
        rng = generator(seed, "bootstrap", part.kind)
        figures = metrics.evaluate(measure, clips=len(part.labels), rounds=rounds, rng=rng)
        if part.kind == EXCERPTS:
            figures |= _by_protocol(part, rounds, seed)
        table.setdefault(part.test_set, {})[part.kind] = _rounded(figures)
    return table


def _by_protocol(part: Part, rounds: int, seed: int) -> dict[str, dict[str, Any]]:
    """Measure excerpts as every protocol reads them."""
    table = {}
    for reading in _readings(part, seed):
        measure = partial(metrics.agreement, reading.labels, reading.decisions)
        rng = generator(seed, "bootstrap", "protocols")
        figures = metrics.evaluate(measure, clips=len(reading.labels), rounds=rounds, rng=rng)
        table[reading.name] = figures | _chosen(part, reading)
    return table


def _readings(part: Part, seed: int) -> list[protocols.Reading]:
    scores = {"s1": part.presence, "s2": protocols.relative(part.presence), "logits": part.logits}
    return protocols.readings(part.labels, scores, part.songs, seed)


def _chosen(part: Part, reading: protocols.Reading) -> dict[str, Any]:
    """Return the thresholds that were chosen: one, or by class."""
    if reading.choice == protocols.GLOBAL:
        return {"threshold": float(reading.thresholds[0])}
    return {"thresholds": dict(zip(part.classes, reading.thresholds.tolist(), strict=True))}


def _per_class(parts: Iterable[Part], seed: int) -> Iterator[tuple[str | float, ...]]:
    for part in parts:
        decisions = metrics.strongest(part.presence) if part.kind == SOLO else part.decisions
        tables = [(part.kind, part.labels, decisions)]
        if part.kind == EXCERPTS:
            tables += [(f"{EXCERPTS}.{each.name}", each.labels, each.decisions) for each in _readings(part, seed)]
        for kind, labels, decided in tables:
            for name, figures in zip(part.classes, metrics.per_class(labels, decided), strict=True):
                yield part.test_set, kind, name, *figures


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rounded(value) for value in tree]
    return round(tree, DIGITS)


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Iterable[str | float]]) -> None:
    """Write a table, fractions rounded to `DIGITS`."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([f"{cell:.{DIGITS}f}" if isinstance(cell, float) else cell for cell in row] for row in rows)
