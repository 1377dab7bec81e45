"""The page's charts, from the small files that stage evaluate writes; SVG whose colours are the page's own."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec import taxonomy
from instrec.errors import UserError
from instrec.page import media

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 32  # classes whose names a chart has room for
WEAKEST = 24  # classes of which F1 is shown where there are more
CONFUSED = 5  # most frequent confusions that are written out

_WIDTH = 4.2  # inches; on a phone the letters stay readable
# Stand for the page's colours, which are other ones in the dark.
_INK, _FAINT, _BLUE, _RED, _GREEN = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {_INK: "ink", _FAINT: "faint", _BLUE: "blue", _RED: "red", _GREEN: "green"}

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Chart:
    """A drawing, and the sentence that stands below it."""

    title: str
    svg: str
    caption: str


def learning_curves(history: Path) -> list[Chart]:
    """Draw loss, F1 and accuracy of the count over epochs, as far as the task has them.

    Raises
    ------
    UserError
        When the history is missing or damaged.
    """
    rows = _rows(history)
    charts = []
    for title, names in (
        ("Loss", ("loss", "val_loss")),
        ("Micro F1", ("presence_f1", "val_presence_f1")),
        ("Accuracy of the count", ("count_accuracy", "val_count_accuracy")),
    ):
        if all(name in rows[0] for name in names):
            curves = {name: [float(row[name]) for row in rows] for name in names}
            last = ", ".join(f"{values[-1]:.3f} on {'validation data' if name.startswith('val') else 'training data'}"
                             for name, values in curves.items())  # fmt: skip
            charts.append(Chart(title, _curves(title, [int(row["epoch"]) for row in rows], curves),
                                f"After {len(rows)} epochs {last}."))  # fmt: skip
    return charts


def of_sets(folder: Path, sets: Sequence[str]) -> dict[str, list[Chart]]:
    """Draw confusion, F1 a class and calibration of each test set, as far as it has them; validation data last."""
    found = {}
    for name in (*sets, "valid"):
        makers = {"confusion": confusion, "f1": f1_by_class, "calibration": calibration}
        paths = {kind: folder / f"{kind}_{name}.csv" for kind in makers}
        if charts := [make(_rows(paths[kind]), name) for kind, make in makers.items() if paths[kind].exists()]:
            found[name] = charts
    if not found:
        raise UserError(f"{folder}: holds no tables to draw; run `dvc repro evaluate`")
    return found


def confusion(rows: Rows, name: str) -> Chart:
    """Draw which class is taken for which, a share of the clips that it sounds in."""
    classes = sorted({row[side] for row in rows for side in ("actual", "predicted")})
    counts = np.zeros((len(classes), len(classes)), int)
    for row in rows:
        counts[classes.index(row["actual"]), classes.index(row["predicted"])] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(_WIDTH, 4.4)
    blues = np.empty((*shares.shape, 4))
    blues[..., :3], blues[..., 3] = np.array((58, 123, 213)) / 255, 0.75 * shares
    axes.imshow(blues, interpolation="nearest")  # one picture, however many classes
    axes.set_xlabel("heard as")
    axes.set_ylabel("actual class")
    if len(classes) <= NAMED:
        titles = [_title(each) for each in classes]
        axes.set_xticks(range(len(classes)), titles, rotation=90, fontsize=8)
        axes.set_yticks(range(len(classes)), titles, fontsize=8)
        for row, column in np.argwhere(counts):
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=_INK)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    wrong = Counter((row["actual"], row["predicted"]) for row in rows if row["actual"] != row["predicted"])
    of = Counter(row["actual"] for row in rows)
    listed = "; ".join(f"{_title(actual)} as {_title(heard)} ({number} of {of[actual]})"
                       for (actual, heard), number in wrong.most_common(CONFUSED))  # fmt: skip
    caption = f"Most often confused: {listed}." if wrong else "No clip is confused."
    return Chart("Confusion in solo clips", _svg(figure, f"confusion-{name}", "Confusion matrix"), caption)


def f1_by_class(rows: Rows, name: str) -> Chart:
    """Draw F1 of each class with its interval, the weakest at the top."""
    ordered = sorted(rows, key=lambda row: float(row["f1"]))
    shown = ordered[:WEAKEST] if len(ordered) > NAMED else ordered
    values = np.array([[float(row.get(key, row["f1"])) for key in ("f1", "low", "high")] for row in shown])
    places = np.arange(len(shown))
    figure, axes = _figure(_WIDTH, 0.2 * len(shown) + 0.7)
    axes.hlines(places, values[:, 1], values[:, 2], color=_BLUE, alpha=0.4, linewidth=4)
    axes.plot(values[:, 0], places, "o", color=_BLUE, markersize=5)
    axes.set_yticks(places, [_title(row["class"]) for row in shown], fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(np.floor(10 * values.min()) / 10 - 0.02, 1.02)
    axes.set_xlabel("F1, with 95 % interval")
    axes.grid(axis="x", color=_FAINT, alpha=0.25, linewidth=0.6)
    rest = f" Shown are the weakest {len(shown)} of {len(rows)} classes." if len(shown) < len(rows) else ""
    weakest, best = (f"{_title(row['class'])}, {float(row['f1']):.2f}" for row in (ordered[0], ordered[-1]))
    caption = f"From {weakest}, to {best}.{rest}"
    return Chart("F1 a class, solo clips", _svg(figure, f"f1-{name}", "F1 of each class with its interval"), caption)


def calibration(rows: Rows, name: str) -> Chart:
    """Draw how often the model is right against how sure it is, and how often it is so sure."""
    predicted, observed, low, high, decisions = (
        np.array([float(row[key]) for row in rows]) for key in ("predicted", "observed", "low", "high", "decisions")
    )
    figure, (axes, below) = _figure(_WIDTH, 3.8, rows=(3, 1))
    axes.plot((0, 1), (0, 1), "--", color=_FAINT, linewidth=1)
    axes.vlines(predicted, low, high, color=_BLUE, linewidth=1.5)
    axes.plot(predicted, observed, "o-", color=_BLUE, markersize=4, linewidth=1)
    axes.set_ylabel("share that sounds")
    axes.set_ylim(-0.03, 1.03)
    below.bar(predicted, decisions, width=0.06, color=_FAINT, log=True)
    below.set_ylabel("decisions")
    below.set_xlabel("probability given")
    below.set_xlim(-0.03, 1.03)
    axes.set_xlim(-0.03, 1.03)
    off = float((np.abs(predicted - observed) * decisions).sum() / decisions.sum())
    caption = f"Over all classes together, {decisions.sum():,.0f} decisions. Mean distance from the diagonal {off:.3f}."
    return Chart("Calibration", _svg(figure, f"calibration-{name}", "Reliability diagram"), caption)


def thresholds(folder: Path) -> tuple[Chart, Rows]:
    """Draw precision, recall and F1 over one threshold for all classes, with each class's own below; and these as rows.

    Raises
    ------
    UserError
        When the tables are missing or damaged.
    """
    rows, own = _rows(folder / "sweep_valid.csv"), _rows(folder / "thresholds.csv")
    swept = {key: np.array([float(row[key]) for row in rows]) for key in ("threshold", "precision", "recall", "f1")}
    figure, axes = _figure(_WIDTH, 3.2)
    for key, color in (("precision", _GREEN), ("recall", _RED), ("f1", _BLUE)):
        axes.plot(
            swept["threshold"],
            swept[key],
            color=color,
            linewidth=2 if key == "f1" else 1.2,
            label=key.replace("f1", "F1"),
        )
    axes.plot([float(row["threshold"]) for row in own], np.full(len(own), -0.04), "|", color=_INK, markersize=7)
    axes.set_xlabel("threshold")
    axes.set_ylim(-0.08, 1.03)
    axes.set_xlim(0, 1)
    axes.grid(color=_FAINT, alpha=0.25, linewidth=0.6)
    _legend(axes)
    best = int(swept["f1"].argmax())
    caption = (
        f"Micro averages on validation data. One threshold for all classes gives its highest F1, "
        f"{swept['f1'][best]:.3f}, at {swept['threshold'][best]:.2f}. The strokes below: each class on its own."
    )
    return Chart("Thresholds", _svg(figure, "sweep", "Precision, recall and F1 against the threshold"), caption), own


def examples(folder: Path) -> str:
    """Give the picture of example spectrograms as a data URI.

    Raises
    ------
    UserError
        When it is missing.
    """
    path = folder / "spectrograms.png"
    if not path.is_file():
        raise UserError(f"{path}: missing; run `dvc repro evaluate`")
    return media.uri(path.read_bytes(), "image/png")


def _curves(title: str, epochs: list[int], curves: dict[str, list[float]]) -> str:
    figure, axes = _figure(_WIDTH, 2.6)
    for name, values in curves.items():
        looks = (
            {"color": _BLUE, "linewidth": 2, "label": "validation"}
            if name.startswith("val")
            else {"color": _FAINT, "linewidth": 1.2, "label": "training"}
        )
        axes.plot(epochs, values, marker="o" if len(epochs) == 1 else None, **looks)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(color=_FAINT, alpha=0.25, linewidth=0.6)
    _legend(axes)
    return _svg(figure, title.replace(" ", "-"), f"{title} over epochs")


def _rows(path: Path) -> Rows:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("it is empty")
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro`") from error
    return rows


def _title(name: str) -> str:
    return taxonomy.instrument(name).title


def _figure(width: float, height: float, rows: Sequence[float] = (1,)) -> tuple[Figure, Any]:
    """Give a figure without pyplot, so without a window system, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(len(rows), 1, sharex=len(rows) > 1, gridspec_kw={"height_ratios": rows})
    for each in np.atleast_1d(axes):
        each.tick_params(length=0, labelsize=9, labelcolor=_INK)
        for spine in each.spines.values():
            spine.set_visible(False)
        each.xaxis.label.set(size=9.5, color=_INK)
        each.yaxis.label.set(size=9.5, color=_INK)
    return figure, axes


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=9, labelcolor=_INK)


def _svg(figure: Figure, name: str, label: str) -> str:
    """Give a figure as SVG that stands in a page: as wide as its place, in the page's letters and colours."""
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
