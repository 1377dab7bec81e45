"""From an audio file of any length to what sounds in it: windows -> presence -> timeline -> segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec.errors import UserError, needs
from instrec.inference import timeline, whole_file
from instrec.inference.activations import Activations, activations_of
from instrec.inference.whole_file import Sounding
from instrec.inference.window_classifier import HOP_SHARE, WindowClassifier
from instrec.util.text import clock

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Prediction:
    """The instruments of a file, and when they sound.

    Attributes
    ----------
    activations : of the model, window by window.
    timeline : np.ndarray [shape=(cells, classes)], 0..1, a cell every 0.1 s, classes in the order of `classes`.
    instruments : those that the sound holds, first those that sound longest: `name`, `share`, `probability`, `segments`
        as (start, end) in seconds.
    doubtful : the same of those that sound too briefly, or nowhere surely enough, to count in a sound of this length;
        see `whole_file.decided`.
    """

    activations: Activations
    timeline: np.ndarray
    instruments: tuple[Sounding, ...]
    doubtful: tuple[Sounding, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(f"{each.name} {each.probability:.2f}" for each in self.instruments)
        return f"<Prediction of {self.activations.file!r}, {clock(self.activations.duration)}: {names or 'nothing'}>"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the timeline's columns."""
        return self.activations.classes

    @property
    def times(self) -> np.ndarray:
        """Return the middle of each cell of the timeline in seconds [shape=(cells,)]."""
        return self.activations.middles / self.activations.sample_rate

    def to_dataframe(self) -> DataFrame:
        """Return a row for each segment: instrument, probability, start and end in seconds; needs pandas."""
        with needs("pandas"):
            import pandas
        rows = [(each.name, each.probability, *span) for each in self.instruments for span in each.segments]
        return pandas.DataFrame(rows, columns=["instrument", "probability", "start", "end"])

    def to_jams(self) -> dict[str, Any]:
        """Return the JSON object of a JAMS file, with a tag for each segment."""
        from instrec.inference import editors

        return editors.jams(self.to_dict())

    def plot(self, path: Path | str | None = None) -> Figure:
        """Draw the waveform and the timeline; needs matplotlib.

        Parameters
        ----------
        path : a .png, .pdf or .svg to write; None writes nothing.
        """
        from instrec.inference import timeline_plot

        with needs("instrec[plot]"):
            return timeline_plot.draw(self, None if path is None else Path(path))

    def to_dict(self) -> dict[str, Any]:
        """Return what `predict --json` writes: times to the millisecond, probabilities to four places."""
        return {
            "file": self.activations.file,
            "duration_seconds": round(self.activations.duration, 3),
            "complete": self.activations.facts.complete,
            "instruments": [_plain(each) for each in self.instruments],
            "doubtful": [_plain(each) for each in self.doubtful],
        }


def _plain(each: Sounding) -> dict[str, Any]:
    return {
        "name": each.name,
        "share": round(each.share, 4),
        "probability": round(each.probability, 4),
        "segments": [[round(start, 3), round(end, 3)] for start, end in each.segments],
    }


def predict(
    sound: Path | str | np.ndarray,
    model: WindowClassifier,
    *,
    sample_rate: int | None = None,
    hop_seconds: float | None = None,
    threshold: float | None = None,
    track: int | None = None,
    threads: int | None = None,
    progress: Callable[[float], Any] | None = None,
) -> Prediction:
    """Name the instruments of a file or an array, and when they sound.

    An instrument sounds for as long as its timeline reaches its threshold; `whole_file.decided` tells whether that is
    long and sure enough to count. Its probability is the highest value of its timeline, a short moving average over
    windows: a mean over the whole file would say little of what plays in a part of it.

    Parameters
    ----------
    sound, sample_rate : a file; or an array as `audio.arrays.blocks` takes it, and its rate in Hz.
    hop_seconds : from window to window; a sixth of a window by default.
    threshold : for every class, instead of the thresholds chosen on validation data; what reaches it is sure enough.
    track : which audio track of the file, from 1 on; see `decoding.blocks`.
    threads : that compute activations; see `activations_of`.
    progress : called for each block with its length in seconds.

    Raises
    ------
    UserError
        If the file cannot be read as audio, or hop or threshold is out of range.
    """
    if threshold is not None and not (isinstance(threshold, int | float | np.number) and 0 <= threshold <= 1):
        raise UserError(
            "value-out-of-range",
            f"threshold={threshold!r}",
            "allowed is a number within 0..1; None stands for the model's own",
        )
    settings: dict[str, Any] = {"sample_rate": sample_rate, "track": track, "threads": threads, "progress": progress}
    activations = activations_of(sound, model, hop_seconds=hop_seconds, hop_share=HOP_SHARE, **settings)
    thresholds = model.thresholds if threshold is None else (threshold,) * len(activations.classes)
    activity = timeline.smoothed(activations)
    within = activations.audible[:, None]
    active = timeline.sounding(activity, thresholds) & within
    activity = np.where(within, activity, 0.0)
    audible = float(activations.audible.sum()) * activations.cell / activations.sample_rate
    found = [
        _sounding(name, activity[:, index], timeline.segments(active[:, index], activations), audible)
        for index, name in enumerate(activations.classes)
        if active[:, index].any()
    ]
    asked = dict(zip(activations.classes, thresholds, strict=True)) if threshold is None else {}
    window = activations.window / activations.sample_rate
    decided = whole_file.decided(found, thresholds=asked, seconds=audible, window_seconds=window)
    return Prediction(activations, activity, *decided)


def _sounding(name: str, activity: np.ndarray, spans: tuple[tuple[float, float], ...], audible: float) -> Sounding:
    share = sum(end - start for start, end in spans) / audible
    return Sounding(name, float(activity.max()), spans, min(1.0, share))  # segments bridge short rests


def mean_presence(activations: Activations) -> np.ndarray:
    """Average the presence of each class over a file that holds one instrument.

    Returns
    -------
    np.ndarray [shape=(classes,), 0..1]
        Mean presence over the windows, each weighing as much as its RMS level: tails and breaths say little.

    Raises
    ------
    UserError
        If every window is silent.
    """
    if activations.silent.all():
        raise UserError("audio-silent", activations.file, "silent")
    mean = np.average(activations.presence, axis=0, weights=activations.rms)
    return np.minimum(mean, 1.0)  # a weighted mean of ones may round above one
