"""The image of a prediction: the waveform, and under it a row per instrument, in a color of its own.

A row is darker where the model is surer, with a bar under it where it decides that the instrument sounds.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instrec import taxonomy
from instrec.errors import UserError
from instrec.inference.activations import thinned
from instrec.util.files import written_whole
from instrec.util.text import clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from instrec.inference.activations import Activations
    from instrec.inference.prediction import Prediction

SUFFIXES = (".png", ".pdf", ".svg")

COLORS = ("#1b6ca8", "#c8502b", "#2e8b57", "#7b4fa3", "#b8860b", "#c2417c", "#2a9d9a", "#6b705c")
"""Of the rows, from the top; a ninth has the first again."""

_WIDTH, _WAVEFORM_HEIGHT, _ROW_HEIGHT = 11.0, 1.1, 0.36  # inches
_BAR = 0.22  # of a row's height
_COLUMNS = 1600  # points of the waveform that an image can show
_INK, _FAINT, _LINE = "#22313f", "#8a97a3", "#d5dbe1"


def draw(prediction: Prediction, path: Path | None) -> Figure:
    """Draw a prediction, and write it to an image file where one is named.

    Parameters
    ----------
    path : its ending, one of `SUFFIXES`, chooses the format.

    Raises
    ------
    UserError
        If the file cannot be written, or Matplotlib does not know its ending.
    """
    # A figure of its own, without pyplot: no window system, and nothing global.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    activations = prediction.activations
    heights = [_WAVEFORM_HEIGHT, max(1, len(prediction.instruments)) * _ROW_HEIGHT]
    figure = Figure(figsize=(_WIDTH, sum(heights) + 1.1), layout="constrained", facecolor="white")
    known = FigureCanvasAgg(figure).get_supported_filetypes()
    if path and path.suffix.lower().removeprefix(".") not in known:
        raise UserError("suffix-not-allowed", path, f"unknown format; allowed: {', '.join(SUFFIXES)}")
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": heights})
    figure.suptitle(
        f"{Path(activations.file).name}   {clock(activations.duration)}",
        x=0.01, ha="left", fontsize=12, color=_INK, parse_math=False,  # a file's name may have a $
    )  # fmt: skip
    _draw_waveform(top, activations)
    _draw_rows(bottom, prediction)
    _draw_clock(bottom, activations.duration)
    if path:
        with written_whole(path) as part, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from")  # a name in a script that the font lacks
            figure.savefig(part, format=path.suffix.lstrip(".").lower(), dpi=120)
    return figure


def _draw_waveform(axes: Axes, activations: Activations) -> None:
    peaks = np.append(thinned(activations.envelope, _COLUMNS), 0)
    seconds = np.linspace(0, activations.duration, len(peaks))
    axes.fill_between(seconds, -peaks, peaks, step="post", color=_FAINT, linewidth=0)
    axes.axhline(0, color=_FAINT, linewidth=0.8)
    loudest = float(peaks.max()) or 1.0
    axes.set_ylim(-1.05 * loudest, 1.05 * loudest)
    axes.axis("off")


def _draw_rows(axes: Axes, prediction: Prediction) -> None:
    from matplotlib.colors import to_rgba

    duration, shown = prediction.activations.duration, prediction.instruments
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=10, labelcolor=_INK)
    if not shown:
        axes.set_yticks([])
        axes.text(
            0.5, 0.5, "nothing recognized",
            transform=axes.transAxes, ha="center", va="center", color=_FAINT, backgroundcolor="white",
        )  # fmt: skip
        return
    axes.set_yticks(np.arange(len(shown)) + 0.5, [taxonomy.instrument(each.name).title for each in shown])
    for row, (each, label) in enumerate(zip(shown, axes.get_yticklabels(), strict=True)):
        color = COLORS[row % len(COLORS)]
        label.set(color=color, fontweight="bold")
        shades = thinned(prediction.timeline[:, prediction.classes.index(each.name)], _COLUMNS)
        image = np.ones((1, len(shades), 4)) * to_rgba(color)
        image[..., 3] = 0.05 + 0.75 * shades
        extent = (0, duration, row + 0.9 - _BAR, row + 0.1)
        axes.imshow(image, extent=extent, aspect="auto", interpolation="none")
        spans = [(start, end - start) for start, end in each.segments]
        axes.broken_barh(spans, (row + 0.9 - _BAR, _BAR), color=color, linewidth=0.5)  # seen in an hour, too
        axes.text(
            1.006,
            row + 0.5,
            f"{each.share:4.0%}  {each.probability:.2f}",
            transform=axes.get_yaxis_transform(),
            va="center",
            color=_INK,
        )
    axes.set_ylim(len(shown), 0)


def _draw_clock(axes: Axes, duration: float) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if duration / step <= 12), steps[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds, decimals=int(step < 1))))
    axes.set_xlim(0, duration)
    axes.grid(axis="x", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
