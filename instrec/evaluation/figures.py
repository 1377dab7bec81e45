"""Pictures of what `test_sets.write` left in metrics/plots: which class is taken for which, and how well each does."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instrec import taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#22313f"
_CELL, _LARGEST = 0.42, 17.0  # inches, of a matrix's cell and of a whole matrix


def draw(folder: Path) -> Iterator[tuple[str, Figure]]:
    """Draw every test set with solo clips: its confusion matrix, and beside it F1 of every class.

    Parameters
    ----------
    folder : has `f1_SET.csv` and `confusion_SET.csv` for each of them.

    Yields
    ------
    name : of the test set.
    figure : a row per class; a share of its clips in every cell, in percent.
    """
    # A figure of its own, without pyplot: no window system, and nothing global.
    from matplotlib.figure import Figure

    for path in sorted(folder.glob("confusion_*.csv")):
        name = path.stem.removeprefix("confusion_")
        f1 = {row["class"]: float(row["f1"]) for row in _rows(folder / f"f1_{name}.csv")}
        counts = Counter((row["actual"], row["predicted"]) for row in _rows(path))
        matrix = np.array([[counts[actual, predicted] for predicted in f1] for actual in f1])
        side = min(_CELL * len(f1), _LARGEST)
        figure = Figure(figsize=(side + 4.5, side + 2.0), layout="constrained", facecolor="white")
        figure.suptitle(f"{name}: solo clips", x=0.01, ha="left", color=_INK)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[side, 2.0])
        _draw_confusion(left, matrix, [taxonomy.instrument(each).title for each in f1])
        _draw_f1(right, list(f1.values()))
        yield name, figure


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _draw_confusion(axes: Axes, matrix: np.ndarray, titles: list[str]) -> None:
    shares = 100 * matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")  # square would not keep to the bars' rows
    for (row, column), share in np.ndenumerate(shares):
        if share and len(titles) * _CELL <= _LARGEST:  # in smaller cells there is no room
            ink = "white" if share > 50 else _INK
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=8, color=ink)
    axes.set_xticks(range(len(titles)), titles, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(titles)), titles)
    axes.set_xlabel("taken for, % of its clips", color=_INK)
    axes.set_ylabel("plays", color=_INK)
    axes.tick_params(length=0, labelsize=min(9, 800 / len(titles)), labelcolor=_INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_f1(axes: Axes, values: list[float]) -> None:
    bars = axes.barh(range(len(values)), values, color="#4a6a8a")
    axes.bar_label(bars, fmt="{:.2f}", padding=3, fontsize=min(8, 800 / len(values)), color=_INK)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel("F1", color=_INK)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.tick_params(axis="x", length=0, labelsize=9, labelcolor=_INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
