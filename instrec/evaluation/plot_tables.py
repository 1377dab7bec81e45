"""Write the small tables that `dvc plots` and `instrec dev report` draw, and that git can compare.

    metrics/plots/confusion_SET.csv     actual and predicted class, a solo clip per row; of a set without solo clips, a
                                        mixture of one instrument per row
    metrics/plots/f1_SET.csv            F1 of every class in solo clips, with its interval
    metrics/plots/counts_SET.csv        per number of instruments in mixtures: how many clips are predicted to have each
                                        number, F1 of the number, micro F1 of its clips; only of a model that counts
    metrics/plots/calibration_SET.csv   share of true positives per range of probability
    metrics/plots/sweep_valid.csv       precision, recall and F1 at every threshold, on validation data
    metrics/plots/class_sweep_valid.csv     F1 of every class at every threshold, on validation data
    metrics/plots/s1_sweep_SET.csv      as sweep_valid.csv, on the development half of a set of excerpts; also s2_sweep,
                                        s1_class_sweep and s2_class_sweep
    metrics/plots/thresholds.csv        threshold of each class, with its metrics on validation data
    metrics/plots/history.csv           learning curves, a copy of models/history.csv (stages/evaluate.py)
    metrics/plots/spectrograms.png      features of a few clips (instrec/evaluation/example_spectrograms.py)

SET is a test set, or `valid`. Thresholds of the model are chosen on validation data, never on a test set. Those of the
protocols of published systems are chosen on the development half of a test set, which measures nothing
(instrec/evaluation/protocols.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from instrec.evaluation import bootstrap, metrics, protocols
from instrec.evaluation.test_sets import EXCERPTS, MIXTURES, SOLO, Part
from instrec.util.files import write_csv
from instrec.util.seeding import generator

Array = NDArray[Any]

BINS = 10
SWEEP = np.linspace(0, 1, 101)
QUANTILE = float(ndtri(0.975))  # scipy.stats has this interval, too, and takes a second to import


def write(
    folder: Path, parts: Sequence[Part], validation: Sequence[Part], thresholds: ArrayLike, *, rounds: int, seed: int
) -> None:
    """Write every table.

    Parameters
    ----------
    parts : predictions of the test sets, from `test_sets.predict`.
    validation : predictions of validation data, in the classes of the model.
    thresholds : of the model [shape=(classes,)].
    rounds, seed : of the intervals and the halves of excerpts, as in `test_sets.write`.
    """
    kinds = defaultdict(list)
    for part in (*parts, *validation):
        kinds[part.test_set].append((part.labels, part.presence))
    together = {name: tuple(map(np.concatenate, zip(*own, strict=True))) for name, own in kinds.items()}
    for test_set, arrays in together.items():
        header = ("predicted", "observed", "low", "high", "decisions")
        write_csv(folder / f"calibration_{test_set}.csv", header, calibration(*arrays))
    with_solos = {part.test_set for part in parts if part.kind == SOLO}
    for part in parts:
        if part.kind == SOLO or (part.kind == MIXTURES and part.test_set not in with_solos):
            _write_confusion(folder, part)
        if part.kind == SOLO:
            f1 = f1_by_class(part, rounds=rounds, seed=seed)
            write_csv(folder / f"f1_{part.test_set}.csv", ("class", "f1", "low", "high", "clips"), f1)
        elif part.kind == EXCERPTS:
            _write_sweeps_of_protocols(folder, part, seed)
        elif part.count is not None:
            heading = ("actual", *(f"predicted_{number}" for number in range(part.count.shape[1])), "f1", "by_count_f1")
            numbers = by_number(part.labels, part.presence, part.count)
            write_csv(folder / f"counts_{part.test_set}.csv", heading, numbers)
    if validation:
        labels, presence = together[validation[0].test_set]
        _write_sweeps(folder, "", "valid", validation[0].classes, labels, presence)
        values = metrics.per_class(labels, metrics.decide(presence, thresholds))
        rows = zip(validation[0].classes, np.asarray(thresholds, float).tolist(), values, strict=True)
        columns = ("class", "threshold", "precision", "recall", "f1", "clips")
        write_csv(folder / "thresholds.csv", columns, ((name, threshold, *own) for name, threshold, own in rows))


def _write_confusion(folder: Path, part: Part) -> None:
    if pairs := list(confusion(part)):
        write_csv(folder / f"confusion_{part.test_set}.csv", ("actual", "predicted"), pairs)


def confusion(part: Part) -> Iterator[tuple[str, str]]:
    """Return the actual and the strongest class of each clip with one instrument."""
    alone = part.labels.sum(axis=1) == 1
    columns = (values[alone].argmax(axis=1).tolist() for values in (part.labels, part.presence))
    return ((part.classes[actual], part.classes[predicted]) for actual, predicted in zip(*columns, strict=True))


def _write_sweeps_of_protocols(folder: Path, part: Part, seed: int) -> None:
    half = protocols.development_half(part.labels, part.songs, seed)
    if half.any():
        for name, presence in (("s1", part.presence), ("s2", protocols.relative(part.presence))):
            _write_sweeps(folder, f"{name}_", part.test_set, part.classes, part.labels[half], presence[half])


def _write_sweeps(
    folder: Path, score: str, test_set: str, classes: tuple[str, ...], labels: Array, presence: Array
) -> None:
    averages = ("precision", "recall", "f1", "macro_precision", "macro_recall", "macro_f1")
    write_csv(folder / f"{score}sweep_{test_set}.csv", ("threshold", *averages), sweep(labels, presence))
    write_csv(folder / f"{score}class_sweep_{test_set}.csv", ("threshold", *classes), class_sweep(labels, presence))


def f1_by_class(part: Part, *, rounds: int, seed: int) -> Iterator[tuple[str, float, float, float, int]]:
    """Return F1 of the classes that occur in solo clips, with the 95 % interval and the number of clips.

    The intervals use the same resamplings as those of the means in `test.json`.
    """
    decisions, clips = metrics.strongest(part.presence), part.labels.sum(axis=0)

    def measure(weights: Array | None) -> dict[str, Array]:
        return dict(
            zip(part.classes, np.moveaxis(metrics.class_f1(part.labels, decisions, weights), -1, 0), strict=True)
        )

    rng = generator(seed, "bootstrap", part.kind)
    values = bootstrap.evaluate(measure, clips=len(part.labels), rounds=rounds, rng=rng)
    for name, number in zip(part.classes, clips.tolist(), strict=True):
        if number:
            yield name, values[name], *values["intervals"][name], number


def by_number(labels: Array, presence: Array, count: Array) -> Iterator[tuple[float, ...]]:
    """Compare clips by their number of instruments, as Sethi (2018) does.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]
    count : [shape=(clips, numbers)]

    Yields
    ------
    For each number that occurs: the number; how many of its clips are predicted to have 0, 1, 2, …; F1 of the number,
    over all clips; micro F1 of the classes that `metrics.top_k` detects in its clips.
    """
    actual = np.minimum(labels.sum(axis=1), count.shape[1] - 1)
    predicted, chosen = metrics.strongest(count), metrics.top_k(presence, count)
    for number, (_, _, f1, clips) in enumerate(metrics.per_class(np.eye(count.shape[1])[actual], predicted)):
        if clips:
            own = actual == number
            by_count = float(metrics.agreement(labels[own], chosen[own])["micro_f1"])
            yield number, *predicted[own].sum(axis=0).tolist(), f1, by_count


def calibration(labels: Array, presence: Array) -> Iterator[tuple[float, float, float, float, int]]:
    """Compare probabilities with the share of true positives, over all clips and classes.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]

    Yields
    ------
    For each of ten equal ranges of probability, if any is in it: their mean, the share whose class sounds, its 95 %
    interval (Wilson 1927, which assumes independent decisions), and their number.
    """
    bins = np.minimum((presence.ravel() * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        sure, sounds = presence.ravel()[bins == place], labels.ravel()[bins == place]
        if len(sure):
            yield float(sure.mean(dtype=float)), float(sounds.mean()), *wilson(int(sounds.sum()), len(sure)), len(sure)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, scale = hits / trials, 2 * (trials + QUANTILE**2)
    center = (2 * trials * share + QUANTILE**2) / scale
    reach = QUANTILE / scale * math.sqrt(4 * trials * share * (1 - share) + QUANTILE**2)
    return center - reach if hits else 0.0, center + reach if hits < trials else 1.0


def sweep(labels: Array, presence: Array) -> Iterator[tuple[float, ...]]:
    """Return micro, then macro precision, recall and F1 with one threshold for all classes, from 0 to the last one that
    any class reaches."""
    for threshold in SWEEP[presence.max() >= SWEEP].tolist():
        values = metrics.agreement(labels, metrics.decide(presence, threshold))
        names = (f"{mean}_{name}" for mean in ("micro", "macro") for name in ("precision", "recall", "f1"))
        yield threshold, *(float(values[name]) for name in names)


def class_sweep(labels: Array, presence: Array) -> Iterator[tuple[float, ...]]:
    """Return F1 of every class at the thresholds of `sweep`."""
    for threshold in SWEEP[presence.max() >= SWEEP].tolist():
        yield threshold, *metrics.class_f1(labels, metrics.decide(presence, threshold)).tolist()
