"""Measure a model on the test sets, and write the metrics as small files that git can compare.

    metrics/test.json                 every metric of every set, with bootstrap intervals
    metrics/per_class.csv             precision, recall, F1 and support of every class

Metrics are rounded to four decimals, so that tiny differences between commits do not show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from instrec.corpus.test_sets import TEST_SETS
from instrec.errors import UserError
from instrec.evaluation import bootstrap, metrics, protocols, windows
from instrec.evaluation.windows import Windows
from instrec.util.files import DIGITS, write_csv, written_whole
from instrec.util.hdf5 import open_store
from instrec.util.seeding import generator

if TYPE_CHECKING:  # importing it imports keras
    from instrec.models.classifier import Classifier
    from instrec.util.hdf5 import Store

BATCH = 256  # clips predicted at a time

SOLO, MIXTURES, EXCERPTS = "solo", "mixtures", "excerpts"
WINDOWS = "windows"  # the reading of excerpts of recordings in which each window is a clip
VALIDATION = "valid"  # the set where thresholds were chosen, which scores nothing
KINDS = {"solo": SOLO, "mixture": MIXTURES, "excerpt": EXCERPTS}  # by the second word of a clip's id
_FROZEN = {each.name for each in TEST_SETS}


@dataclass(frozen=True)
class Part:
    """The predictions of a model for one kind of files of one test set.

    A file is one clip, or the mean of several windows. A class that is unknown in a file counts for nothing: it has no
    label, no decision, and `metrics.UNKNOWN` for presence and logits. If there is any, the part has no count.

    Attributes
    ----------
    test_set : name of the set.
    kind : `solo`, `mixtures` or `excerpts`.
    classes : requested classes.
    labels : actual classes [shape=(files, classes)], 0 or 1.
    presence : probability of each class [shape=(files, classes)], 0..1.
    decisions : detected classes, with the thresholds of the model [shape=(files, classes)], 0 or 1.
    count : probability of each number of instruments [shape=(files, counts)]; None if the model does not count.
    logits : like `presence`, but from the mean of logits [shape=(files, classes)], 0..1.
    songs : song of each file.
    windows : of excerpts of recordings; None for other files.
    exclusive : whether the model shares one probability out among the classes: task solo.
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
    exclusive: bool
    windows: Windows | None = None


def predict_all(folder: Path, classifier: Classifier, *, task: str, songs: Mapping[str, str]) -> dict[str, list[Part]]:
    """Predict every set except the training set: {set: parts}, validation included.

    Raises
    ------
    UserError
        If there is no test set, or as in `predict`.
    """
    predicted = {}
    for path in sorted(folder.glob("*.h5")):
        if path.stem != "train":
            with open_store(path) as clips:
                predicted[path.stem] = predict(path.stem, clips, classifier, task=task, songs=songs)
    if not any(parts for name, parts in predicted.items() if name != VALIDATION):
        raise UserError(
            "test-set-missing",
            folder,
            f"holds no test set for task {task}; raise balance.composed_per_class in params.yaml and run `dvc repro`",
        )
    return predicted


def predict(test_set: str, store: Store, classifier: Classifier, *, task: str, songs: Mapping[str, str]) -> list[Part]:
    """Predict the clips of a test set, one kind after the other; a kind without clips is left out.

    Parameters
    ----------
    task : of the model; with task `solo`, only solo clips are predicted.
    songs : group of each clip in the manifest, by id.

    Raises
    ------
    UserError
        If no class of the model stands for one of the set, or the set has other clips than the manifest.
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
        labels, unknown = store.labels[asked[own]], store.unknown[asked[own]]
        own_count = None if count is None or unknown.any() else count[own]
        thresholds = classifier.card.thresholds
        known = protocols.mean(1.0 - unknown, file_of) > 0
        means, logits = protocols.mean(presence[own], file_of), protocols.mean_of_logits(presence[own], file_of)
        part = Part(
            test_set=test_set,
            kind=kind,
            classes=store.classes,
            labels=(protocols.mean(labels.astype(float), file_of) > 0).astype(np.uint8),
            presence=np.where(known, protocols.answers(means, columns), metrics.UNKNOWN),
            decisions=protocols.answers(metrics.decide(means, thresholds), columns) * known,
            count=None if own_count is None else protocols.mean(own_count, file_of),
            logits=np.where(known, protocols.answers(logits, columns), metrics.UNKNOWN),
            songs=tuple(songs[ids[first]] for first in np.unique(file_of, return_index=True)[1]),
            windows=windows.read(
                labels, unknown, presence[own], own_count, thresholds=thresholds, columns=columns, files=file_of
            )
            if kind == EXCERPTS and test_set not in _FROZEN
            else None,
            exclusive=task == "solo",
        )
        parts.append(part)
    return parts


def outputs(
    store: Store, rows: NDArray[np.intp], classifier: Classifier
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return presence and count of clips, as `Classifier.predict` does, with one batch in memory.

    A silent clip has no class, whatever the model returns; `activations` treats silence the same way.
    """
    presences, counts = [], []
    for start in range(0, len(rows), BATCH):
        features = store.read_rows(rows[start : start + BATCH])
        presence, count = classifier.predict(features)
        silent = np.asarray(features.max(axis=(1, 2, 3)) == 0)[:, np.newaxis]
        presences.append(np.where(silent, 0, presence))
        if count is not None:
            counts.append(np.where(silent, np.eye(1, count.shape[1], dtype=count.dtype), count))
    return np.concatenate(presences), np.concatenate(counts) if counts else None


def write(folder: Path, parts: Sequence[Part], *, rounds: int, seed: int) -> dict[str, Any]:
    """Write every file, and return the content of `test.json`.

    Parameters
    ----------
    folder : for `test.json` and `per_class.csv`.
    parts : from `predict`, of one set after the other.
    rounds : number of resamplings per interval.
    seed : of the resamplings, and of the halves of excerpts.
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

    `clips` is the number of files. Solo clips also have `loss`, the cross-entropy of `presence`. Excerpts also have the
    same per protocol, with its thresholds; those of recordings also have `windows`, where `clips` is their number.
    """
    table: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part.kind == SOLO:
            measure = partial(_solo, part)
        else:
            measure = partial(metrics.mixtures, part.labels, part.presence, part.decisions, part.count)
        rng = generator(seed, "bootstrap", part.kind)
        values = bootstrap.evaluate(measure, clips=len(part.labels), rounds=rounds, rng=rng)
        if part.kind == EXCERPTS:
            values |= _by_protocol(part, rounds, seed)
        if part.windows:
            rng = generator(seed, "bootstrap", WINDOWS)
            values[WINDOWS] = windows.measure(part.windows, rounds=rounds, rng=rng)
        table.setdefault(part.test_set, {})[part.kind] = _rounded(values)
    return table


def _solo(part: Part, weights: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    loss = metrics.cross_entropy(part.labels, part.presence, weights, exclusive=part.exclusive)
    return {**metrics.solo(part.labels, part.presence, weights), "loss": loss}


def _by_protocol(part: Part, rounds: int, seed: int) -> dict[str, dict[str, Any]]:
    """Measure excerpts with every protocol."""
    table = {}
    for reading in _readings(part, seed):
        measure = partial(metrics.agreement, reading.labels, reading.decisions)
        rng = generator(seed, "bootstrap", "protocols")
        values = bootstrap.evaluate(measure, clips=len(reading.labels), rounds=rounds, rng=rng)
        table[reading.name] = values | _chosen(part, reading)
    return table


def _readings(part: Part, seed: int) -> list[protocols.Reading]:
    scores = {"s1": part.presence, "s2": protocols.relative(part.presence), "logits": part.logits}
    return protocols.readings(part.labels, scores, protocols.development_half(part.labels, part.songs, seed))


def _chosen(part: Part, reading: protocols.Reading) -> dict[str, Any]:
    """Return the chosen thresholds: one, or one per class."""
    if reading.choice == protocols.GLOBAL:
        return {"threshold": float(reading.thresholds[0])}
    return {"thresholds": dict(zip(part.classes, reading.thresholds.tolist(), strict=True))}


def _per_class(parts: Iterable[Part], seed: int) -> Iterator[tuple[str | float, ...]]:
    for part in parts:
        decisions = metrics.strongest(part.presence) if part.kind == SOLO else part.decisions
        tables = [(part.kind, part.labels, decisions)]
        if part.kind == EXCERPTS:
            tables += [(f"{EXCERPTS}.{each.name}", each.labels, each.decisions) for each in _readings(part, seed)]
        if part.windows:
            tables.append((f"{EXCERPTS}.{WINDOWS}", part.windows.labels, part.windows.decisions))
        for kind, labels, decided in tables:
            for name, values in zip(part.classes, metrics.per_class(labels, decided), strict=True):
                yield part.test_set, kind, name, *values


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rounded(value) for value in tree]
    return round(tree, DIGITS)
