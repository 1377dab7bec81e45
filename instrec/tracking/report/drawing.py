"""How the page's charts are drawn: by matplotlib, as SVG in the page's own letters and colors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.2  # inches; letters stay readable where that is a phone's width
# Stand for the page's colors, which are other ones in the dark.
INK, FAINT, BLUE, RED, GREEN = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {INK: "ink", FAINT: "faint", BLUE: "blue", RED: "red", GREEN: "green"}


def figure_of(width: float, height: float, rows: Sequence[float] = (1,)) -> tuple[Figure, Any]:
    """Return a figure without pyplot, so without a window system, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(len(rows), 1, sharex=len(rows) > 1, gridspec_kw={"height_ratios": rows})
    for each in np.atleast_1d(axes):
        each.tick_params(length=0, labelsize=9, labelcolor=INK)
        for spine in each.spines.values():
            spine.set_visible(False)
        each.xaxis.label.set(size=9.5, color=INK)
        each.yaxis.label.set(size=9.5, color=INK)
    return figure, axes


def legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def svg(figure: Figure, name: str, label: str) -> str:
    """Return a figure as SVG that stands in a page: as wide as its place, in the page's letters and colors."""
    from matplotlib import rc_context

    written = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):  # letters stay letters; ids are the chart's own
        figure.savefig(
            written, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    drawing = written.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    head, _, body = drawing.partition(">")
    view = re.search(r'viewBox="[^"]+"', head)
    body = re.sub(r' id="[A-Za-z0-9._]+_\d+"', "", body)  # matplotlib's names of groups, the same in each chart
    for color, variable in _VARIABLES.items():
        body = body.replace(color, f"var(--{variable})")
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", body)
    return f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {view and view[0]} role="img" aria-label="{label}">{body}'
