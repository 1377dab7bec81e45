"""When instruments sound: the presence of windows smoothed, compared with thresholds, and merged into segments."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from instrec.inference.activations import Activations

# Of 0.1 s; from benchmarks/timelines.py. examples/instruments.js smooths timelines, too.
SHORTEST_CELLS = GAP_CELLS = 5


def smoothed(activations: Activations) -> np.ndarray:
    """Smooth the presence of windows: a moving average, in a grid of one cell every 0.1 s, much finer than the hop.

    Where windows begin or end to hold an instrument, their mean changes with each that covers a cell, so it crosses
    a threshold near the entrance, wherever that falls between two windows.

    Returns
    -------
    np.ndarray [shape=(cells, classes), float64, 0..1]
        Each cell is the mean presence of the windows that cover its middle.
    """
    middles = activations.middles
    first = np.searchsorted(activations.onsets, middles - activations.window, side="right")
    last = np.searchsorted(activations.onsets, middles, side="right")
    summed = np.concatenate(
        [np.zeros((1, len(activations.classes))), np.cumsum(activations.presence, axis=0, dtype=np.float64)]
    )
    means: np.ndarray = (summed[last] - summed[first]) / (last - first)[:, None]
    return means.clip(0, 1)  # sums round


def sounding(activity: np.ndarray, thresholds: Iterable[float]) -> np.ndarray:
    """Decide where each class reaches its threshold for at least 0.5 s [shape=(cells, classes), bool].

    A shorter peak in what windows of seconds say is chance. A short sound between rests is none, as the windows that
    hold it say so in the rests as well, before the two are separated.
    """
    active = activity >= np.asarray(tuple(thresholds))
    for column in active.T:
        for start, end in _runs(column):
            if end - start < min(SHORTEST_CELLS, len(column)):
                column[start:end] = False
    return active


def segments(active: np.ndarray, activations: Activations) -> tuple[tuple[float, float], ...]:
    """Merge active cells [shape=(cells,), bool] into (start, end) in seconds, across gaps of up to 0.5 s."""
    bridged = active.copy()
    for start, end in _runs(~active):
        if start > 0 and end < len(active) and end - start <= GAP_CELLS:
            bridged[start:end] = True
    cell = activations.cell / activations.sample_rate
    return tuple((start * cell, min(end * cell, activations.duration)) for start, end in _runs(bridged))


def _runs(active: np.ndarray) -> list[list[int]]:
    """Return [first, behind the last] of every stretch of active cells."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2).tolist()
