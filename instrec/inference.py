"""From an audio file of any length to what sounds in it: windows -> presence -> timeline -> segments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instrec.classifier import Classifier
from instrec.errors import UserError
from instrec.listening import SILENCE, SILENCE_DBFS, Listening, listen


@dataclass(frozen=True)
class Sounding:
    """One instrument of a file: how sure the model is at its surest, and the seconds where it sounds."""

    name: str
    probability: float
    segments: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Prediction:
    """The instruments of a file, the surest first, and their timeline [shape=(cells, classes)]."""

    heard: Listening
    timeline: np.ndarray
    instruments: tuple[Sounding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give what `predict --json` writes: times to the millisecond, probabilities to four places."""
        return {
            "file": self.heard.file,
            "duration_seconds": round(self.heard.duration, 3),
            "instruments": [
                {
                    "name": each.name,
                    "probability": round(each.probability, 4),
                    "segments": [[round(start, 3), round(end, 3)] for start, end in each.segments],
                }
                for each in self.instruments
            ],
        }


def predict(
    path: Path | str,
    classifier: Classifier,
    *,
    hop_seconds: float | None = None,
    threshold: float | None = None,
) -> Prediction:
    """Name the instruments of a file and when they sound.

    An instrument is named when, and for as long as, its timeline reaches its threshold. Its probability is
    the highest value of its timeline, a short moving average over windows: a mean over the whole file would
    lose what plays briefly in a long one.

    Parameters
    ----------
    hop_seconds : from window to window; half a window unless told.
    threshold : for every class, instead of the thresholds chosen on validation data.

    Raises
    ------
    UserError
        When the file cannot be read as audio, or hop or threshold is out of range.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise UserError(f"threshold {threshold:g} is outside 0..1; None stands for the model's own")
    heard = listen(path, classifier, hop_seconds=hop_seconds)
    thresholds = classifier.card.thresholds if threshold is None else (threshold,) * len(heard.classes)
    activity = timeline(heard)
    active = sounding(activity, thresholds)
    cell = heard.hop / heard.sample_rate
    instruments = [
        Sounding(name, float(activity[:, index].max()), segments(active[:, index], cell, heard.duration))
        for index, name in enumerate(heard.classes)
        if active[:, index].any()
    ]
    return Prediction(heard, activity, tuple(sorted(instruments, key=lambda each: -each.probability)))


def timeline(heard: Listening) -> np.ndarray:
    """Lay windows onto a grid of one cell a hop.

    Returns
    -------
    np.ndarray [shape=(cells, classes), float64, 0..1]
        Each cell is the mean presence of the windows that cover it, weighted by how much of it they cover;
        zero where the cell itself is silent, so that rests shorter than a window show.
    """
    cells = -(-heard.total // heard.hop)
    summed = np.zeros((cells, len(heard.classes)))
    weight = np.zeros(cells)
    first = heard.onsets // heard.hop
    for cell in (first + offset for offset in range(-(-heard.window // heard.hop) + 1)):
        start = np.maximum(cell * heard.hop, heard.onsets)
        end = np.minimum(np.minimum((cell + 1) * heard.hop, heard.onsets + heard.window), heard.total)
        covers = end > start
        np.add.at(summed, cell[covers], heard.presence[covers] * (end - start)[covers, None])
        np.add.at(weight, cell[covers], (end - start)[covers])
    peaks = np.maximum.reduceat(heard.envelope, np.arange(cells) * heard.hop // heard.frame)
    return np.where(peaks[:, None] < SILENCE, 0.0, summed / weight[:, None])


def sounding(activity: np.ndarray, thresholds: Iterable[float]) -> np.ndarray:
    """Decide where each class reaches its threshold and is not silent [shape=(cells, classes), bool]."""
    return (activity >= np.asarray(tuple(thresholds))) & (activity > 0)


def segments(active: np.ndarray, cell_seconds: float, duration: float) -> tuple[tuple[float, float], ...]:
    """Merge active cells [shape=(cells,), bool] into (start, end) in seconds, none past `duration`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2).tolist()
    return tuple((start * cell_seconds, min(end * cell_seconds, duration)) for start, end in runs)


def score(heard: Listening) -> np.ndarray:
    """Weigh the classes of a file that holds one instrument.

    Returns
    -------
    np.ndarray [shape=(classes,), 0..1]
        Mean presence over the windows, each weighing as much as its RMS level: tails and breaths say little.

    Raises
    ------
    UserError
        When every window is silent.
    """
    if heard.silent.all():
        raise UserError(f"{heard.file}: silent (under {SILENCE_DBFS:g} dBFS)")
    mean = np.average(heard.presence, axis=0, weights=heard.rms)
    return np.minimum(mean, 1.0)  # a weighted mean of ones may round above one
