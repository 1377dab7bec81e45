"""Charts of the small tables that stage evaluate writes, by matplotlib; for the report and for MLflow."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec import taxonomy
from instrec.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.2  # inches; letters stay readable where that is a phone's width
INK, FAINT, BLUE, RED, GREEN = "#22313f", "#8a97a3", "#3a7bd5", "#c8502b", "#2e8b57"
NAMED = 32  # classes whose names a chart has room for
WEAKEST = 24  # classes of which F1 is shown where there are more
CONFUSED = 5  # most frequent confusions that are written out

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes
    ----------
    title : what stands above it.
    name : of a file; no two charts share one.
    label : what it shows, for those who do not see it.
    caption : the sentence that stands below it.
    """

    title: str
    name: str
    label: str
    caption: str
    figure: Figure


def of_sets(folder: Path, sets: Iterable[str]) -> dict[str, list[Chart]]:
    """Draw confusion, F1 per class, calibration and F1 against thresholds of each test set, as far as it has them;
    validation data last.

    Raises
    ------
    UserError
        When a table is damaged.
    """
    makers: dict[str, Callable[[Rows, str], Chart]] = {
        "confusion": confusion,
        "f1": f1_by_class,
        "calibration": calibration,
        "s2_sweep": sweep,
        "s2_class_sweep": class_sweep,
        "class_sweep": class_sweep,
    }
    found: dict[str, list[Chart]] = {}
    for name in (*sets, "valid"):
        for kind, make in makers.items():
            path = folder / f"{kind}_{name}.csv"
            if path.exists():
                with table(path) as rows:
                    found.setdefault(name, []).append(make(rows, name))
    return found


def confusion(rows: Rows, name: str) -> Chart:
    """Draw which class is taken for which, a share of the clips that it sounds in."""
    classes = sorted({row[side] for row in rows for side in ("actual", "predicted")})
    counts = np.zeros((len(classes), len(classes)), int)
    for row in rows:
        counts[classes.index(row["actual"]), classes.index(row["predicted"])] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = figure_of(WIDTH, 4.4)
    blues = np.empty((*shares.shape, 4))
    blues[..., :3], blues[..., 3] = np.array((58, 123, 213)) / 255, 0.75 * shares
    axes.imshow(blues, interpolation="nearest")  # one image, however many classes
    axes.set_xlabel("predicted as")
    axes.set_ylabel("actual class")
    if len(classes) <= NAMED:
        titles = [title(each) for each in classes]
        axes.set_xticks(range(len(classes)), titles, rotation=90, fontsize=8)
        axes.set_yticks(range(len(classes)), titles, fontsize=8)
        for row, column in np.argwhere(counts):
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=INK)
    else:
        families = _families(classes)
        axes.set_xticks(list(families.values()), list(families), rotation=90, fontsize=7)
        axes.set_yticks(list(families.values()), list(families), fontsize=7)
    wrong = Counter((row["actual"], row["predicted"]) for row in rows if row["actual"] != row["predicted"])
    of = Counter(row["actual"] for row in rows)
    listed = "; ".join(f"{title(actual)} as {title(predicted)} ({number} of {of[actual]})"
                       for (actual, predicted), number in wrong.most_common(CONFUSED))  # fmt: skip
    caption = f"Most often confused: {listed}." if wrong else "No clip is confused."
    return Chart("Confusion in solo clips", f"confusion-{name}", "Confusion matrix", caption, figure)


def _families(classes: Sequence[str]) -> dict[str, float]:
    """Return the mean place of each General MIDI family's programs; nothing for classes that are no programs."""
    from pretty_midi import program_to_instrument_class

    places: dict[str, list[int]] = {}
    for place, name in enumerate(classes):
        if name in taxonomy.PROGRAMS:
            (program,) = taxonomy.PROGRAMS[name].programs
            places.setdefault(str(program_to_instrument_class(program)), []).append(place)
    return {family: float(np.mean(own)) for family, own in places.items()}


def f1_by_class(rows: Rows, name: str) -> Chart:
    """Draw F1 of each class with its interval, the weakest at the top."""
    ordered = sorted(rows, key=lambda row: float(row["f1"]))
    shown = ordered[:WEAKEST] if len(ordered) > NAMED else ordered
    values = np.array([[float(row.get(key, row["f1"])) for key in ("f1", "low", "high")] for row in shown])
    places = np.arange(len(shown))
    figure, axes = figure_of(WIDTH, 0.2 * len(shown) + 0.7)
    axes.hlines(places, values[:, 1], values[:, 2], color=BLUE, alpha=0.4, linewidth=4)
    axes.plot(values[:, 0], places, "o", color=BLUE, markersize=5)
    axes.set_yticks(places, [title(row["class"]) for row in shown], fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(np.floor(10 * values.min()) / 10 - 0.02, 1.02)
    axes.set_xlabel("F1, with 95 % interval")
    axes.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
    rest = f" Shown are the weakest {len(shown)} of {len(rows)} classes." if len(shown) < len(rows) else ""
    weakest, best = (f"{title(row['class'])}, {float(row['f1']):.2f}" for row in (ordered[0], ordered[-1]))
    caption = f"From {weakest}, to {best}.{rest}"
    return Chart("F1 per class, solo clips", f"f1-{name}", "F1 of each class with its interval", caption, figure)


def calibration(rows: Rows, name: str) -> Chart:
    """Draw how often the model is right against how sure it is, and how often it is so sure."""
    predicted, observed, low, high, decisions = (
        np.array([float(row[key]) for row in rows]) for key in ("predicted", "observed", "low", "high", "decisions")
    )
    figure, (axes, below) = figure_of(WIDTH, 3.8, rows=(3, 1))
    axes.plot((0, 1), (0, 1), "--", color=FAINT, linewidth=1)
    axes.vlines(predicted, low, high, color=BLUE, linewidth=1.5)
    axes.plot(predicted, observed, "o-", color=BLUE, markersize=4, linewidth=1)
    axes.set_ylabel("share that sounds")
    axes.set_ylim(-0.03, 1.03)
    below.bar(predicted, decisions, width=0.06, color=FAINT, log=True)
    below.set_ylabel("decisions")
    below.set_xlabel("probability given")
    below.set_xlim(-0.03, 1.03)
    axes.set_xlim(-0.03, 1.03)
    off = float((np.abs(predicted - observed) * decisions).sum() / decisions.sum())
    caption = f"Over all classes together, {decisions.sum():,.0f} decisions. Mean distance from the diagonal {off:.3f}."
    return Chart("Calibration", f"calibration-{name}", "Reliability diagram", caption, figure)


def sweep(rows: Rows, name: str) -> Chart:
    """Draw micro and macro F1 of excerpts against one threshold for all classes."""
    thresholds, micro, macro = (np.array([float(row[key]) for row in rows]) for key in ("threshold", "f1", "macro_f1"))
    figure, axes = figure_of(WIDTH, 2.6)
    axes.plot(thresholds, micro, color=BLUE, linewidth=2, label="micro F1")
    axes.plot(thresholds, macro, color=FAINT, linewidth=1.2, label="macro F1")
    axes.set_xlabel("threshold, as a share of the strongest class")
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    legend(axes)
    best = (f"{label} {values.max():.3f} at {thresholds[values.argmax()]:.2f}"
            for label, values in (("micro F1", micro), ("macro F1", macro)))  # fmt: skip
    caption = f"On the development half, one threshold for all classes gives at best {', '.join(best)}."
    return Chart("One threshold, S2", f"s2-sweep-{name}", "Micro and macro F1 against the threshold", caption, figure)


def class_sweep(rows: Rows, name: str) -> Chart:
    """Draw F1 of each class against its threshold, the darker the higher."""
    thresholds = [float(row["threshold"]) for row in rows]
    classes = [each for each in rows[0] if each != "threshold"]
    f1 = np.array([[float(row[each]) for row in rows] for each in classes])
    figure, axes = figure_of(WIDTH, min(0.2 * len(classes), 5.0) + 0.7)
    blues = np.empty((*f1.shape, 4))
    blues[..., :3], blues[..., 3] = np.array((58, 123, 213)) / 255, f1
    step = thresholds[1] - thresholds[0] if len(thresholds) > 1 else 1.0
    ends = (thresholds[0] - step / 2, thresholds[-1] + step / 2, len(classes) - 0.5, -0.5)
    axes.imshow(blues, interpolation="nearest", aspect="auto", extent=ends)
    axes.plot([thresholds[place] for place in f1.argmax(axis=1)], range(len(classes)), "|", color=INK)
    named = len(classes) <= NAMED
    axes.set_yticks(
        range(len(classes)) if named else [], [title(each) for each in classes] if named else [], fontsize=9
    )
    axes.set_xlabel("threshold")
    caption = (
        f"The darker, the higher; strokes: the best. With the best of each class, macro F1 {f1.max(axis=1).mean():.3f}."
    )
    return Chart("F1 per class and threshold", f"class-sweep-{name}", "F1 of each class by threshold", caption, figure)


def figure_of(width: float, height: float, rows: Sequence[float] = (1,)) -> tuple[Figure, Any]:
    """Return a figure without pyplot, so without a window system, and its axes."""
    from matplotlib.figure import Figure

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a font that is missing has a substitute
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


@contextmanager
def table(path: Path) -> Iterator[Rows]:
    """Return a table's rows to draw, in a block that draws them.

    Raises
    ------
    UserError
        When it is missing, empty or damaged, which may show only while it is drawn.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("it is empty")
        yield rows
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserError("table-invalid", path, f"cannot be read ({error}); run `dvc repro`") from error


def title(name: str) -> str:
    """Return the display name of a class."""
    return taxonomy.instrument(name).title
