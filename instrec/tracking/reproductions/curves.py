"""Learning curves of recipes: whether training ended too early, and a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instrec.evaluation.figures import BLUE, FAINT, RED
from instrec.tracking.reproductions.recipes import Recipe
from instrec.tracking.reproductions.results import Run
from instrec.util.files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {"val_presence_f1": BLUE, "val_count_accuracy": RED}  # columns of history.csv
GAIN = 0.01  # of one of them in the last fifth of the epochs; a smaller one is none
_ACROSS = 5  # panels side by side
_INCHES = (2.2, 1.5)  # of a panel


def still_rising(runs: Sequence[Run]) -> bool:
    """Return whether the last fifth of the epochs still improved a metric by more than GAIN, as a mean over runs."""
    for column in COLORS:
        gains = [_gain(values) for run in runs if len(values := run.history.get(column, [])) > 1]
        if gains and statistics.fmean(gains) > GAIN:
            return True
    return False


def _gain(values: Sequence[float]) -> float:
    last = math.ceil(len(values) / 5)
    return max(values[-last:]) - max(values[:-last])


def draw(path: Path, shown: Mapping[str, Sequence[Run]], chosen: Sequence[Recipe]) -> None:
    """Write an SVG with a panel per recipe that was run: the metrics over epochs, a line per seed.

    Parameters
    ----------
    shown : the runs of each recipe, with one budget.
    chosen : recipes, in the order of the panels.
    """
    from matplotlib.figure import Figure

    drawn = [each for each in chosen if shown.get(each.name)]
    down = max(1, math.ceil(len(drawn) / _ACROSS))
    figure = Figure((_ACROSS * _INCHES[0], down * _INCHES[1]), layout="constrained")
    panels = figure.subplots(down, _ACROSS, squeeze=False, sharey=True).flat
    for recipe, axes in zip(drawn, panels, strict=False):
        _panel(axes, recipe.name, shown[recipe.name])
    for axes in panels:  # those that are left
        axes.axis("off")
    saved(figure, path)


def saved(figure: Figure, path: Path) -> None:
    """Write an SVG whose letters stay letters, and that does not differ from one time to the next."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": path.stem}), written_whole(path) as part:
        figure.savefig(part, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))


def _panel(axes: Axes, title: str, runs: Sequence[Run]) -> None:
    from matplotlib.ticker import MaxNLocator

    for run in runs:
        for column, color in COLORS.items():
            values = run.history.get(column, [])
            marker = "." if len(values) == 1 else None
            axes.plot(range(1, len(values) + 1), values, color=color, linewidth=1, marker=marker)
    axes.set_title(title, fontsize=7)
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=6)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
