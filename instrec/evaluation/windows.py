"""Excerpts window by window: each window is measured against the labels of its excerpt, as Sethi (2018) does on IRMAS.

The model's own classes are detected first: as many as it counts, or those that reach their thresholds, if it does not
count or any class is unknown. An instrument is detected if any of the programs that stand for it is, and it is not
unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from instrec.evaluation import bootstrap, metrics, protocols

Array = NDArray[Any]


@dataclass(frozen=True)
class Windows:
    """The windows of one test set's excerpts.

    Attributes
    ----------
    labels : actual classes of the excerpt [shape=(windows, classes)], 0 or 1.
    decisions : detected classes [shape=(windows, classes)], 0 or 1.
    count : probability of each number of instruments [shape=(windows, counts)]; None if the model does not count, or
        any class is unknown.
    files : the excerpt of each window [shape=(windows,)].
    """

    labels: NDArray[np.uint8]
    decisions: NDArray[np.uint8]
    count: NDArray[np.float32] | None
    files: NDArray[np.intp]


def read(
    labels: Array,
    unknown: Array,
    presence: Array,
    count: Array | None,
    *,
    thresholds: ArrayLike,
    columns: Sequence[Sequence[int]],
    files: NDArray[np.intp],
) -> Windows:
    """Detect the classes of each window.

    Parameters
    ----------
    labels, unknown : [shape=(windows, requested classes)]
    presence, thresholds : of the model's classes [shape=(windows, classes)], [shape=(classes,)].
    count : [shape=(windows, counts)]
    columns : the model's classes that stand for each requested one, from `protocols.answering`.
    files : from `protocols.file_of`.
    """
    own = metrics.decide(presence, thresholds) if count is None else metrics.top_k(presence, count)
    return Windows(labels.astype(np.uint8), protocols.answers(own, columns) * (unknown == 0), count, files)


def measure(windows: Windows, *, rounds: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return averages over windows and, if the model counts, metrics of the count, as `bootstrap.evaluate` does.

    The intervals draw whole excerpts, as windows of one are alike.
    """

    def all_of(weights: Array | None) -> dict[str, Array]:
        values = metrics.agreement(windows.labels, windows.decisions, weights)
        return values if windows.count is None else values | metrics.numbers(windows.labels, windows.count, weights)

    return bootstrap.evaluate(all_of, clips=len(windows.labels), rounds=rounds, rng=rng, files=windows.files)
