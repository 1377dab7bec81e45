"""How published systems turn windows into a file's answer, choose thresholds, and repeat: arrays in, arrays out.

Aggregation, from windows to the files they are cut from:

- S1, the mean over a file's windows.
- S2, the same divided by the file's strongest class (Han 2017), which asks how strong a class is beside the predominant
  one.
- The mean of logits, read as a probability again.

Thresholds are swept over a fixed grid: one for all classes, the best by micro F1, or one per class, the best by the
class's F1. They are chosen on the development half of a test set, and scored on the other; no song lies in both.
"""

from __future__ import annotations

import re
from collections import Counter
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
    """Tell which file each clip is a window of: its id without the onset, `@0012.50`, that may end it.

    Returns
    -------
    Number of the file, in order of first appearance [shape=(clips,)].
    """
    names = [re.sub(r"@\d+\.\d+$", "", identity) for identity in ids]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.intp)


def mean(values: Array, files: NDArray[np.intp]) -> Array:
    """Average windows [shape=(clips, any)] over each file [shape=(files, any)]: S1. A single window stays as it is.

    `files` says which file each window is of, as `file_of` does [shape=(clips,)].
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
    """Tell which of a model's classes answer for the classes asked for: programs for the instruments they stand for.

    Returns
    -------
    Places in `classes` for each of `names`, as `taxonomy.columns_of` gives them.

    Raises
    ------
    UserError
        When none answers for a name.
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
    """Return the highest value among the columns that answer for each class [shape=(files, classes asked for)].

    Of decisions it makes one for an instrument when any of its programs is decided for (Sethi 2018).
    """
    return np.stack([values[:, own].max(axis=1) for own in columns], axis=1)


def development_half(songs: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Decide which files are for choosing thresholds; all files of a song are, or none [shape=(files,)].

    The halves differ by no more files than the longest song has. None is for choosing where there are fewer than
    `MIN_FILES` files or two songs: all score then, with thresholds of one half.
    """
    sizes = Counter(songs)
    if len(songs) < MIN_FILES or len(sizes) < 2:
        return np.zeros(len(songs), bool)
    chosen: set[str] = set()
    surplus = 0  # files that the development half has more than the other
    for song in sorted(sizes, key=lambda song: (-sizes[song], generator(seed, "halves", song).random())):
        if surplus <= 0:
            chosen.add(song)
        surplus += sizes[song] if surplus <= 0 else -sizes[song]
    return np.array([song in chosen for song in songs])


def global_threshold(labels: Array, scores: Array) -> Array:
    """Choose the one threshold with the highest micro F1; the middle one among equals [shape=(classes,)]."""
    hits, found, wanted = (part.sum(axis=1, keepdims=True) for part in _sweep(labels, scores))
    return _best(hits, found, wanted).repeat(labels.shape[1])


def class_thresholds(labels: Array, scores: Array) -> Array:
    """Choose each class's threshold with the highest F1 of the class; the middle one among equals, .5 where the class
    never occurs [shape=(classes,)]."""
    return _best(*_sweep(labels, scores))


def _sweep(labels: Array, scores: Array) -> tuple[Array, Array, Array]:
    """Count clips rightly decided for, decided for, and labeled, at every threshold [shape=(thresholds, classes)]."""
    columns = list(zip(labels.T > 0, scores.T.astype(np.float64), strict=True))
    hits = np.stack([_reaching(column[own]) for own, column in columns], axis=1)
    found = np.stack([_reaching(column) for _, column in columns], axis=1)
    return hits, found, np.broadcast_to(labels.sum(axis=0), found.shape)


def _reaching(scores: Array) -> Array:
    return len(scores) - np.searchsorted(np.sort(scores), GRID)


def _best(hits: Array, found: Array, wanted: Array) -> Array:
    f1 = 2 * hits / np.maximum(found + wanted, 1)
    equals = [np.flatnonzero(np.isclose(column, column.max(), rtol=0, atol=1e-12)) for column in f1.T]
    middle = np.array([GRID[best[len(best) // 2]] for best in equals])
    return np.where(f1.any(axis=0), middle, _NEVER)


@dataclass(frozen=True)
class Reading:
    """A test set read by one protocol.

    Attributes
    ----------
    aggregation : how windows became a file's score.
    choice : `global` or `class`: how far a threshold reaches.
    thresholds : chosen on the development half [shape=(classes,)].
    labels, decisions : of the files that score [shape=(files, classes)], 0 or 1.
    """

    aggregation: str
    choice: str
    thresholds: Array
    labels: Array
    decisions: Array

    @property
    def name(self) -> str:
        return f"{self.aggregation}_{self.choice}"


def readings(labels: Array, scores: Mapping[str, Array], songs: Sequence[str], seed: int) -> list[Reading]:
    """Read a test set by every protocol.

    Parameters
    ----------
    labels : which classes sound in each file [shape=(files, classes)], 0 or 1.
    scores : by name of aggregation, how strong each class is [shape=(files, classes)], 0..1.
    songs : which song each file is of.
    seed : decides the halves, with the songs.
    """
    development = development_half(songs, seed)
    found = []
    for aggregation, score in scores.items():
        for choice, choose in ((GLOBAL, global_threshold), (A_CLASS, class_thresholds)):
            thresholds = choose(labels[development], score[development])
            decisions = metrics.decide(score[~development], thresholds)
            found.append(Reading(aggregation, choice, thresholds, labels[~development], decisions))
    return found
