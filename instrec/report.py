"""What a model reaches on the test sets, as small files that git can compare.

    metrics/test.json                 every metric of every set, with bootstrap intervals
    metrics/per_class.csv             precision, recall, F1 and support of every class
    metrics/plots/f1_SET.csv          F1 of every class in solo clips
    metrics/plots/confusion_SET.csv   actual and predicted class, a solo clip a row

Figures are rounded to four decimals, so that what differs between two commits is worth looking at.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from instrec import metrics
from instrec.errors import UserError
from instrec.files import written_whole
from instrec.seeding import generator

if TYPE_CHECKING:  # importing it imports keras
    from instrec.classifier import Classifier
    from instrec.store import Store

DIGITS = 4
BATCH = 256  # clips predicted at a time

SOLO, MIXTURES = "solo", "mixtures"


@dataclass(frozen=True)
class Part:
    """One kind of clips of one test set, and what a model makes of them.

    Attributes
    ----------
    test_set : name of the set.
    kind : `solo` or `mixtures`.
    labels : which classes sound [shape=(clips, classes)], 0 or 1.
    presence : how sure the model is of each [shape=(clips, classes)], 0..1.
    count : probability of each number of instruments [shape=(clips, counts)].
    """

    test_set: str
    kind: str
    labels: NDArray[np.uint8]
    presence: NDArray[np.float32]
    count: NDArray[np.float32]


def predict(test_set: str, store: Store, classifier: Classifier) -> list[Part]:
    """Predict every clip of a test set and part solo clips from mixtures; a part without clips is left out.

    Raises
    ------
    UserError
        When the model tells other classes apart than the set.
    """
    if store.classes != tuple(classifier.card.classes):
        raise UserError(f"{test_set}: made for other classes than the model's; run `dvc repro`")
    if not len(store):
        return []
    batches = [classifier.predict(features) for features in store.batches(BATCH)]
    presence, count = (np.concatenate(outputs) for outputs in zip(*batches, strict=True))
    solo = np.array(["/solo/" in clip for clip in store.ids])
    return [
        Part(test_set, kind, store.labels[which], presence[which], count[which])
        for kind, which in ((SOLO, solo), (MIXTURES, ~solo))
        if which.any()
    ]


def write(
    folder: Path,
    parts: Sequence[Part],
    *,
    classes: Sequence[str],
    thresholds: Sequence[float],
    rounds: int,
    seed: int,
) -> dict[str, Any]:
    """Write every file and give the content of `test.json`.

    Parameters
    ----------
    folder : where `test.json`, `per_class.csv` and `plots` go.
    parts : what `predict` gave, of one set after the other.
    classes : names of the columns of labels and presence.
    thresholds : of each class, chosen on validation data.
    rounds : resamplings behind each interval.
    seed : decides them.
    """
    for part in parts:
        metrics.validate(part.labels, part.presence, part.count, thresholds)
    table = summary(parts, thresholds=thresholds, rounds=rounds, seed=seed)
    with written_whole(folder / "test.json") as path:
        path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    names = ("set", "part", "class", "precision", "recall", "f1", "support")
    rows = list(_per_class(parts, classes, thresholds))
    _write_csv(folder / "per_class.csv", names, rows)
    for part in parts:
        if part.kind == SOLO:
            f1 = [(row[2], row[5]) for row in rows if row[:2] == (part.test_set, SOLO)]
            _write_csv(folder / "plots" / f"f1_{part.test_set}.csv", ("class", "f1"), f1)
            named = ([classes[clip.argmax()] for clip in clips] for clips in (part.labels, part.presence))
            path = folder / "plots" / f"confusion_{part.test_set}.csv"
            _write_csv(path, ("actual", "predicted"), zip(*named, strict=True))
    return table


def summary(parts: Iterable[Part], *, thresholds: Sequence[float], rounds: int, seed: int) -> dict[str, dict[str, Any]]:
    """Measure every part: {set: {kind: {`clips`, metrics, `intervals`: {metric: [low, high]}}}}."""
    table: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part.kind == SOLO:
            measure = partial(metrics.solo, part.labels, part.presence)
        else:
            measure = partial(metrics.mixtures, part.labels, part.presence, part.count, thresholds)
        rng = generator(seed, "bootstrap", part.kind)
        figures = metrics.evaluate(measure, clips=len(part.labels), rounds=rounds, rng=rng)
        table.setdefault(part.test_set, {})[part.kind] = _rounded(figures)
    return table


def _per_class(
    parts: Iterable[Part], classes: Sequence[str], thresholds: Sequence[float]
) -> Iterator[tuple[str | float, ...]]:
    for part in parts:
        solo = part.kind == SOLO
        decisions = metrics.strongest(part.presence) if solo else metrics.decide(part.presence, thresholds)
        for name, figures in zip(classes, metrics.per_class(part.labels, decisions), strict=True):
            yield part.test_set, part.kind, name, *figures


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rounded(value) for value in tree]
    return round(tree, DIGITS)


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Iterable[str | float]]) -> None:
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([f"{cell:.{DIGITS}f}" if isinstance(cell, float) else cell for cell in row] for row in rows)
