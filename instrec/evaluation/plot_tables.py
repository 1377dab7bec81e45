"""What `dvc plots` and `instrec dev report` draw, as small files that git can compare.

    metrics/plots/confusion_SET.csv     actual and predicted class, a solo clip per row
    metrics/plots/f1_SET.csv            F1 of every class in solo clips, with its interval
    metrics/plots/calibration_SET.csv   how often the model is right when it is so sure, a bin a row
    metrics/plots/sweep_valid.csv       precision, recall and F1 at every threshold, on validation data
    metrics/plots/thresholds.csv        the threshold of each class, and what it gives on validation data
    metrics/plots/spectrograms.png      what the model sees of a few clips (instrec/evaluation/example_spectrograms.py)

SET is a test set, or `valid`. Thresholds are chosen on validation data and swept there; no test set is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from instrec.evaluation import metrics
from instrec.evaluation.test_sets import SOLO, Part, write_csv
from instrec.util.seeding import generator

Array = NDArray[Any]

BINS = 10
SWEEP = np.linspace(0, 1, 101)


def write(
    folder: Path, parts: Sequence[Part], validation: Sequence[Part], thresholds: ArrayLike, *, rounds: int, seed: int
) -> None:
    """Write every table.

    Parameters
    ----------
    parts : what `scoring.predict` gave of the test sets.
    validation : what it gave of validation data, in the model's own classes.
    thresholds : the model's own [shape=(classes,)].
    rounds, seed : of the intervals, as in `scoring.write`.
    """
    kinds = defaultdict(list)
    for part in (*parts, *validation):
        kinds[part.test_set].append((part.labels, part.presence))
    together = {name: tuple(map(np.concatenate, zip(*own, strict=True))) for name, own in kinds.items()}
    for test_set, arrays in together.items():
        header = ("predicted", "observed", "low", "high", "decisions")
        write_csv(folder / f"calibration_{test_set}.csv", header, calibration(*arrays))
    for part in parts:
        if part.kind == SOLO:
            f1 = f1_by_class(part, rounds=rounds, seed=seed)
            write_csv(folder / f"f1_{part.test_set}.csv", ("class", "f1", "low", "high", "clips"), f1)
            named = ([part.classes[file.argmax()] for file in files] for files in (part.labels, part.presence))
            write_csv(folder / f"confusion_{part.test_set}.csv", ("actual", "predicted"), zip(*named, strict=True))
    if validation:
        labels, presence = together[validation[0].test_set]
        write_csv(folder / "sweep_valid.csv", ("threshold", "precision", "recall", "f1"), sweep(labels, presence))
        figures = metrics.per_class(labels, metrics.decide(presence, thresholds))
        rows = zip(validation[0].classes, np.asarray(thresholds, float).tolist(), figures, strict=True)
        columns = ("class", "threshold", "precision", "recall", "f1", "clips")
        write_csv(folder / "thresholds.csv", columns, ((name, threshold, *own) for name, threshold, own in rows))


def f1_by_class(part: Part, *, rounds: int, seed: int) -> Iterator[tuple[str, float, float, float, int]]:
    """Return F1 of the classes that occur in solo clips, with the 95 % interval and the number of clips.

    The intervals are of the same resamplings of clips as those of the means in `test.json`.
    """
    decisions, clips = metrics.strongest(part.presence), part.labels.sum(axis=0)

    def measure(weights: Array | None) -> dict[str, Array]:
        return dict(zip(part.classes, np.moveaxis(_f1(part.labels, decisions, weights), -1, 0), strict=True))

    rng = generator(seed, "bootstrap", part.kind)
    figures = metrics.evaluate(measure, clips=len(part.labels), rounds=rounds, rng=rng)
    for name, number in zip(part.classes, clips.tolist(), strict=True):
        if number:
            yield name, figures[name], *figures["intervals"][name], number


def _f1(labels: Array, decisions: Array, weights: Array | None) -> Array:
    """F1 of each class [shape=(..., classes)], 0 where it would divide by nothing."""
    weights = np.ones(len(labels)) if weights is None else weights
    hits, both = weights @ (labels * decisions).astype(float), weights @ (labels + decisions).astype(float)
    return np.asarray(2 * hits / np.maximum(both, 1))


def calibration(labels: Array, presence: Array) -> Iterator[tuple[float, float, float, float, int]]:
    """Compare how sure a model is with how often it is right, over all clips and classes together.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]

    Yields
    ------
    For each of ten equal ranges of probability in which the model gave any: their mean, the share of them whose class
    sounds, that share's 95 % interval (Wilson 1927, as if they were independent), and how many they are.
    """
    from scipy.stats import binomtest  # half a second to import

    bins = np.minimum((presence.ravel() * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        sure, sounds = presence.ravel()[bins == place], labels.ravel()[bins == place]
        if len(sure):
            interval = binomtest(int(sounds.sum()), len(sounds)).proportion_ci(method="wilson")
            yield float(sure.mean(dtype=float)), float(sounds.mean()), interval.low, interval.high, len(sure)


def sweep(labels: Array, presence: Array) -> Iterator[tuple[float, ...]]:
    """Return threshold, micro precision, recall and F1 where all classes have the same threshold, from 0 up to the last
    that any class reaches."""
    for threshold in SWEEP[presence.max() >= SWEEP].tolist():
        figures = metrics.agreement(labels, metrics.decide(presence, threshold))
        yield threshold, *(float(figures[f"micro_{name}"]) for name in ("precision", "recall", "f1"))
