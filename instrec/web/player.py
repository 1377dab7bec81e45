"""The timeline of a sound as HTML shows it: rows of instruments under the waveform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec import taxonomy
from instrec.inference.activations import thinned
from instrec.inference.prediction import Prediction
from instrec.inference.prediction_table import nothing
from instrec.util.text import clock
from instrec.web import media

ROWS = 12  # instruments shown
_POINTS = 400  # of the waveform
_BLUE = (58, 123, 213)
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True)
class Row:
    """An instrument: its highest probability, its probability over time as an image, and where it is predicted and
    where it is labeled, as (start, width) in 0..1."""

    title: str
    probability: float
    shades: str
    found: tuple[tuple[float, float], ...]
    sounding: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Timeline:
    """The timeline of a sound on the page.

    Attributes
    ----------
    name, duration : of the file; the duration in minutes and seconds.
    rows : the instrument that sounds longest first; `left_out` more are not shown.
    nothing : why there are no rows.
    window_seconds : what the model takes at once.
    waveform : the outline as points of an SVG polygon, 1000 wide, -100 to 100 high.
    ticks : the time axis: place in 0..1, and label.
    sound : as a data URI; None where it is too long.
    labeled : whether there are labels.
    """

    name: str
    duration: str
    rows: tuple[Row, ...]
    left_out: int
    nothing: str
    window_seconds: float
    waveform: str
    ticks: tuple[tuple[float, str], ...]
    sound: str | None
    labeled: bool


def laid_out(name: str, predicted: Prediction, sound: str | None = None, labels: Sequence[str] = ()) -> Timeline:
    """Lay out a prediction.

    Parameters
    ----------
    sound : as a data URI.
    labels : the instruments, each for an equal part of the time; none if they are not known.
    """
    classes, duration = predicted.classes, predicted.activations.duration
    titles = [taxonomy.instrument(label).title for label in labels]
    # What sounds is shown whether or not the model finds it.
    found = {taxonomy.instrument(each.name).title: each.segments for each in predicted.instruments}
    surest = dict(zip((taxonomy.instrument(each).title for each in classes), predicted.timeline.T, strict=True))
    shown = [title for title in dict.fromkeys((*titles, *found)) if title in surest]
    rows = [
        Row(
            title,
            float(surest[title].max()),
            media.shades(thinned(surest[title], _POINTS)[None], _BLUE),
            tuple((start / duration, (end - start) / duration) for start, end in found.get(title, ())),
            tuple((place / len(labels), 1 / len(labels)) for place, label in enumerate(titles) if label == title),
        )
        for title in shown[:ROWS]
    ]
    return Timeline(
        name=name,
        duration=clock(duration),
        rows=tuple(rows),
        left_out=len(shown) - len(rows),
        nothing="" if rows else nothing(predicted),
        window_seconds=predicted.activations.window / predicted.activations.sample_rate,
        waveform=_waveform(predicted.activations.envelope),
        ticks=tuple(_ticks(duration)),
        sound=sound,
        labeled=bool(labels),
    )


def _waveform(envelope: NDArray[Any]) -> str:
    peaks = thinned(envelope, _POINTS)
    peaks = 100 * peaks / (float(peaks.max()) or 1.0)
    across = np.linspace(0, 1000, len(peaks))
    upper = [f"{x:.0f},{-y:.0f}" for x, y in zip(across, peaks, strict=True)]
    lower = [f"{x:.0f},{y:.0f}" for x, y in zip(across, peaks, strict=True)]
    return " ".join((*upper, *reversed(lower)))


def _ticks(duration: float) -> Iterator[tuple[float, str]]:
    step = next((step for step in _STEPS if duration / step <= 6), _STEPS[-1])
    yield from ((second / duration, clock(second)) for second in np.arange(0, duration, step).tolist())
