"""Protocols of published systems: aggregation of windows to files, and choice of thresholds.

Aggregation of the windows of a file:

- S1: the mean over windows.
- S2: S1 divided by its strongest class (Han 2017): the strength of a class relative to the predominant one.
- The mean of logits, as a probability.

Thresholds are chosen from a fixed grid: one for all classes, by micro F1, or one per class, by the F1 of the class.
They are chosen on the development half of a test set, and measured on the other half. Both halves have about as many
files of each class (Gomez 2018), and no song is in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec.errors import UserError
from instrec.evaluation import metrics
from instrec.taxonomy import columns_of
from instrec.util.seeding import generator

Array = NDArray[Any]

GLOBAL, A_CLASS = "global", "class"

GRID = np.linspace(0, 1, 1001)
MIN_FILES = 4
"""Fewer files are not halved."""

_NEVER = 0.5  # threshold of what never occurs where thresholds are chosen
_ALMOST = 1e-7  # the nearest that a single-precision sigmoid comes to 1, and so how sure a logit is at most


def file_of(ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the file of each window: the clip id without its onset, such as `@0012.50`; a noisy twin has its own.

    Returns
    -------
    Number of the file, in order of first appearance [shape=(clips,)].
    """
    names = [re.sub(r"@\d+\.\d+(?=$|-noisy$)", "", identity) for identity in ids]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.intp)


def mean(values: Array, files: NDArray[np.intp]) -> Array:
    """Average windows [shape=(clips, any)] over each file [shape=(files, any)]: S1. A single window stays as it is.

    `files` is the file of each window, from `file_of` [shape=(clips,)].
    """
    total = np.zeros((files.max() + 1, values.shape[1]))
    np.add.at(total, files, values)
    return np.asarray(total / np.bincount(files)[:, None], values.dtype)


def mean_of_logits(presence: Array, files: NDArray[np.intp]) -> Array:
    """Average the logits of windows [shape=(clips, classes)] over each file; 0..1 [shape=(files, classes)]."""
    from scipy.special import expit, logit  # not for `instrec evaluate`, which comes without

    certain = np.clip(presence.astype(np.float64), _ALMOST, 1 - _ALMOST)
    return np.asarray(expit(mean(logit(certain), files)), presence.dtype)


def relative(presence: Array) -> Array:
    """Divide each file's classes by the strongest of them: S2, where `presence` is S1 [shape=(files, classes)]."""
    strongest = presence.max(axis=1, keepdims=True)
    return np.asarray(presence / np.where(strongest > 0, strongest, 1), presence.dtype)


def answering(names: Sequence[str], classes: Sequence[str]) -> list[list[int]]:
    """Return the classes of a model that stand for the requested classes: programs stand for their instruments.

    Returns
    -------
    Places in `classes` for each of `names`, as `taxonomy.columns_of` gives them.

    Raises
    ------
    UserError
        If none stands for a name.
    """
    if tuple(names) == tuple(classes):
        return [[place] for place in range(len(classes))]
    columns = [columns_of(name, classes) for name in names]
    for name, own in zip(names, columns, strict=True):
        if not own:
            raise UserError(
                "class-missing",
                "",
                f"no class of the model's answers for {name}; add it to classes in params.yaml, `dvc repro`",
            )
    return columns


def answers(values: Array, columns: Sequence[Sequence[int]]) -> Array:
    """Return the highest value among the columns that stand for each class [shape=(files, requested classes)].

    For decisions: an instrument is detected if any of its programs is (Sethi 2018).
    """
    return np.stack([values[:, own].max(axis=1) for own in columns], axis=1)


def development_half(labels: Array, songs: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Choose the development half, whole songs at a time, with each class balanced as far as songs allow.

    From the longest song to the shortest, each goes where it makes the halves more alike: in files of each class, as a
    share of all files of the class, and in files. With fewer than `MIN_FILES` files or two songs, the development half
    is empty: all files are measured, with thresholds of .5.

    Parameters
    ----------
    labels : classes in each file [shape=(files, classes)], 0 or 1.
    songs : song of each file.
    seed : decides the order of songs of one length.

    Returns
    -------
    True for files of the development half [shape=(files,)].
    """
    names, song_of = np.unique(np.asarray(songs), return_inverse=True)
    if len(songs) < MIN_FILES or len(names) < 2:
        return np.zeros(len(songs), bool)
    files = np.zeros((len(names), labels.shape[1] + 1))
    np.add.at(files, song_of, np.column_stack([labels, np.ones(len(labels))]))
    shares = files / np.maximum(files.sum(axis=0), 1)
    chosen = np.zeros(len(names), bool)
    surplus = np.zeros(files.shape[1])  # what the development half has more than the other
    draws = np.array([generator(seed, "halves", name).random() for name in names.tolist()])
    for song in np.lexsort((draws, -files[:, -1])):
        chosen[song] = (surplus * shares[song]).sum().round(9) <= 0
        surplus += files[song] if chosen[song] else -files[song]
    return chosen[song_of]


def global_threshold(labels: Array, scores: Array) -> Array:
    """Choose the one threshold with the highest micro F1; the middle one among equals [shape=(classes,)]."""
    true_positive, predicted, actual = (part.sum(axis=1, keepdims=True) for part in _sweep(labels, scores))
    return _best(true_positive, predicted, actual).repeat(labels.shape[1])


def class_thresholds(labels: Array, scores: Array) -> Array:
    """Choose the threshold of each class with its highest F1; the middle one among equals, .5 if the class never occurs
    [shape=(classes,)]."""
    return _best(*_sweep(labels, scores))


def _sweep(labels: Array, scores: Array) -> tuple[Array, Array, Array]:
    """Count true positives, predicted and actual positives at every threshold [shape=(thresholds, classes)]."""
    columns = list(zip(labels.T > 0, scores.T.astype(np.float64), strict=True))
    true_positive = np.stack([_reaching(column[own]) for own, column in columns], axis=1)
    predicted = np.stack([_reaching(column) for _, column in columns], axis=1)
    return true_positive, predicted, np.broadcast_to(labels.sum(axis=0), predicted.shape)


def _reaching(scores: Array) -> Array:
    return len(scores) - np.searchsorted(np.sort(scores), GRID)


def _best(true_positive: Array, predicted: Array, actual: Array) -> Array:
    f1 = 2 * true_positive / np.maximum(predicted + actual, 1)
    equals = [np.flatnonzero(np.isclose(column, column.max(), rtol=0, atol=1e-12)) for column in f1.T]
    middle = np.array([GRID[best[len(best) // 2]] for best in equals])
    return np.where(f1.any(axis=0), middle, _NEVER)


@dataclass(frozen=True)
class Reading:
    """A test set as one protocol measures it.

    Attributes
    ----------
    aggregation : from windows to files.
    choice : `global` or `class`: one threshold for all classes, or one per class.
    thresholds : chosen on the development half [shape=(classes,)].
    labels, decisions : of the measured files [shape=(files, classes)], 0 or 1.
    """

    aggregation: str
    choice: str
    thresholds: Array
    labels: Array
    decisions: Array

    @property
    def name(self) -> str:
        return f"{self.aggregation}_{self.choice}"


def readings(labels: Array, scores: Mapping[str, Array], development: NDArray[np.bool_]) -> list[Reading]:
    """Apply every protocol to a test set.

    Parameters
    ----------
    labels : classes in each file [shape=(files, classes)], 0 or 1.
    scores : strength of each class per name of an aggregation [shape=(files, classes)], 0..1.
    development : whether a file is of the development half, from `development_half` [shape=(files,)].
    """
    readings = []
    for aggregation, score in scores.items():
        for choice, choose in ((GLOBAL, global_threshold), (A_CLASS, class_thresholds)):
            thresholds = choose(labels[development], score[development])
            decisions = metrics.decide(score[~development], thresholds)
            readings.append(Reading(aggregation, choice, thresholds, labels[~development], decisions))
    return readings
