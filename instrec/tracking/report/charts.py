"""The page's charts, from the small files that stage evaluate writes; SVG whose colors are the page's own."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instrec import taxonomy
from instrec.errors import UserError
from instrec.tracking.report.drawing import BLUE, FAINT, GREEN, INK, RED, WIDTH, figure_of, legend, svg
from instrec.web import media

NAMED = 32  # classes whose names a chart has room for
WEAKEST = 24  # classes of which F1 is shown where there are more
CONFUSED = 5  # most frequent confusions that are written out

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
        If the history is missing or damaged.
    """
    charts = []
    with _table(history) as rows:
        epochs = [int(row["epoch"]) for row in rows]
        for title, names in (
            ("Loss", ("loss", "val_loss")),
            ("Micro F1", ("presence_f1", "val_presence_f1")),
            ("Accuracy of the count", ("count_accuracy", "val_count_accuracy")),
        ):
            if rows[0].keys() >= set(names):
                training, validation = ([float(row[name]) for row in rows] for name in names)
                caption = (
                    f"After {len(rows)} {'epoch' if len(rows) == 1 else 'epochs'} {training[-1]:.3f} on training data, "
                    f"{validation[-1]:.3f} on validation data."
                )
                charts.append(Chart(title, _curves(title, epochs, training, validation), caption))
    return charts


def of_sets(folder: Path, sets: Sequence[str]) -> dict[str, list[Chart]]:
    """Draw confusion, F1 per class and calibration of each test set, as far as it has them; validation data last."""
    makers: dict[str, Callable[[Rows, str], Chart]] = {
        "confusion": confusion,
        "f1": f1_by_class,
        "calibration": calibration,
    }
    found: dict[str, list[Chart]] = {}
    for name in (*sets, "valid"):
        for kind, make in makers.items():
            path = folder / f"{kind}_{name}.csv"
            if path.exists():
                with _table(path) as rows:
                    found.setdefault(name, []).append(make(rows, name))
    if not found:
        raise UserError("folder-empty", folder, "holds no tables to draw; run `dvc repro evaluate`")
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
    axes.imshow(blues, interpolation="nearest")  # one picture, however many classes
    axes.set_xlabel("heard as")
    axes.set_ylabel("actual class")
    if len(classes) <= NAMED:
        titles = [_title(each) for each in classes]
        axes.set_xticks(range(len(classes)), titles, rotation=90, fontsize=8)
        axes.set_yticks(range(len(classes)), titles, fontsize=8)
        for row, column in np.argwhere(counts):
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=INK)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    wrong = Counter((row["actual"], row["predicted"]) for row in rows if row["actual"] != row["predicted"])
    of = Counter(row["actual"] for row in rows)
    listed = "; ".join(f"{_title(actual)} as {_title(heard)} ({number} of {of[actual]})"
                       for (actual, heard), number in wrong.most_common(CONFUSED))  # fmt: skip
    caption = f"Most often confused: {listed}." if wrong else "No clip is confused."
    return Chart("Confusion in solo clips", svg(figure, f"confusion-{name}", "Confusion matrix"), caption)


def f1_by_class(rows: Rows, name: str) -> Chart:
    """Draw F1 of each class with its interval, the weakest at the top."""
    ordered = sorted(rows, key=lambda row: float(row["f1"]))
    shown = ordered[:WEAKEST] if len(ordered) > NAMED else ordered
    values = np.array([[float(row.get(key, row["f1"])) for key in ("f1", "low", "high")] for row in shown])
    places = np.arange(len(shown))
    figure, axes = figure_of(WIDTH, 0.2 * len(shown) + 0.7)
    axes.hlines(places, values[:, 1], values[:, 2], color=BLUE, alpha=0.4, linewidth=4)
    axes.plot(values[:, 0], places, "o", color=BLUE, markersize=5)
    axes.set_yticks(places, [_title(row["class"]) for row in shown], fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(np.floor(10 * values.min()) / 10 - 0.02, 1.02)
    axes.set_xlabel("F1, with 95 % interval")
    axes.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
    rest = f" Shown are the weakest {len(shown)} of {len(rows)} classes." if len(shown) < len(rows) else ""
    weakest, best = (f"{_title(row['class'])}, {float(row['f1']):.2f}" for row in (ordered[0], ordered[-1]))
    caption = f"From {weakest}, to {best}.{rest}"
    return Chart("F1 per class, solo clips", svg(figure, f"f1-{name}", "F1 of each class with its interval"), caption)


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
    return Chart("Calibration", svg(figure, f"calibration-{name}", "Reliability diagram"), caption)


def thresholds(folder: Path) -> tuple[Chart, list[tuple[Any, ...]]]:
    """Draw precision, recall and F1 over one threshold for all classes, with each class's own below; and these as
    rows: title, threshold, precision, recall, F1, clips.

    Raises
    ------
    UserError
        If the tables are missing or damaged.
    """
    with _table(folder / "sweep_valid.csv") as rows:
        swept = {key: np.array([float(row[key]) for row in rows]) for key in ("threshold", "precision", "recall", "f1")}
    with _table(folder / "thresholds.csv") as own:
        listed: list[tuple[Any, ...]] = [
            (_title(row["class"]), *(float(row[key]) for key in ("threshold", "precision", "recall", "f1", "clips")))
            for row in own
        ]
    strokes = [row[1] for row in listed]
    figure, axes = figure_of(WIDTH, 3.2)
    for key, color, width in (("precision", GREEN, 1.2), ("recall", RED, 1.2), ("f1", BLUE, 2)):
        axes.plot(swept["threshold"], swept[key], color=color, linewidth=width, label=key.replace("f1", "F1"))
    axes.plot(strokes, np.full(len(strokes), -0.04), "|", color=INK, markersize=7)
    axes.set_xlabel("threshold")
    axes.set_ylim(-0.08, 1.03)
    axes.set_xlim(0, 1)
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    legend(axes)
    best = int(swept["f1"].argmax())
    caption = (
        f"Micro averages on validation data. One threshold for all classes gives its highest F1, "
        f"{swept['f1'][best]:.3f}, at {swept['threshold'][best]:.2f}. Strokes below: the classes' own."
    )
    return Chart("Thresholds", svg(figure, "sweep", "Precision, recall and F1 against the threshold"), caption), listed


def examples(folder: Path) -> str:
    """Return the picture of example spectrograms as a data URI.

    Raises
    ------
    UserError
        If it is missing.
    """
    path = folder / "spectrograms.png"
    if not path.is_file():
        raise UserError("file-missing", path, "missing; run `dvc repro evaluate`")
    return media.uri(path.read_bytes(), "image/png")


def _curves(title: str, epochs: list[int], training: list[float], validation: list[float]) -> str:
    figure, axes = figure_of(WIDTH, 2.6)
    marker = "o" if len(epochs) == 1 else None
    axes.plot(epochs, training, color=FAINT, linewidth=1.2, marker=marker, label="training")
    axes.plot(epochs, validation, color=BLUE, linewidth=2, marker=marker, label="validation")
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    legend(axes)
    return svg(figure, title.replace(" ", "-"), f"{title} over epochs")


@contextmanager
def _table(path: Path) -> Iterator[Rows]:
    """Return a table's rows to draw; what is wrong with them shows while it is drawn."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("it is empty")
        yield rows
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserError("table-invalid", path, f"cannot be read ({error}); run `dvc repro`") from error


def _title(name: str) -> str:
    return taxonomy.instrument(name).title
