"""Learning curves, thresholds and images of the page, and charts as SVG in the page's own letters and colors."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec.errors import UserError
from instrec.evaluation import figures
from instrec.evaluation.figures import BLUE, FAINT, GREEN, INK, RED, WIDTH, Chart, figure_of, legend, table
from instrec.util import documents
from instrec.web import media

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIPELINE, DRAWN = Path("dvc.yaml"), Path("docs/dag.svg")
# The page has other colors in the dark.
_VARIABLES = {INK: "ink", FAINT: "faint", BLUE: "blue", RED: "red", GREEN: "green"}


def learning_curves(history: Path) -> list[Chart]:
    """Draw loss, F1 and accuracy of the count over epochs, as far as the task has them.

    Raises
    ------
    UserError
        If the history is missing or damaged.
    """
    charts = []
    with table(history) as rows:
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
                figure = _curves(epochs, training, validation)
                charts.append(Chart(title, title.replace(" ", "-"), f"{title} over epochs", caption, figure))
    return charts


def thresholds(folder: Path) -> tuple[Chart, list[tuple[Any, ...]]]:
    """Draw precision, recall and F1 over one threshold for all classes, with each class's own below; and these as
    rows: title, threshold, precision, recall, F1, clips.

    Raises
    ------
    UserError
        If the tables are missing or damaged.
    """
    with table(folder / "sweep_valid.csv") as rows:
        swept = {key: np.array([float(row[key]) for row in rows]) for key in ("threshold", "precision", "recall", "f1")}
    with table(folder / "thresholds.csv") as own:
        keys = ("threshold", "precision", "recall", "f1", "clips")
        listed = [(figures.title(row["class"]), *(float(row[key]) for key in keys)) for row in own]
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
    return Chart("Thresholds", "sweep", "Precision, recall and F1 against the threshold", caption, figure), listed


def examples(folder: Path) -> str:
    """Return the image of example spectrograms as a data URI.

    Raises
    ------
    UserError
        If it is missing.
    """
    return _image(folder / "spectrograms.png", "image/png", "run `dvc repro evaluate`")


def pipeline() -> tuple[str, dict[str, str]]:
    """Return the drawing of the pipeline in the current folder as a data URI, and the description of each stage.

    Raises
    ------
    UserError
        When the drawing or dvc.yaml is missing or damaged.
    """
    return _image(DRAWN, "image/svg+xml", "draw it: bash scripts/draw_dag.sh"), stages()


def stages() -> dict[str, str]:
    """Return the stages of dvc.yaml and their descriptions."""
    try:
        found = documents.load_yaml(PIPELINE)["stages"]
        return {str(name): str(stage.get("desc", "")) for name, stage in found.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError("pipeline-missing", PIPELINE, "holds no stages; run in the top folder of a clone") from error


def _image(path: Path, mime: str, remedy: str) -> str:
    if not path.is_file():
        raise UserError("file-missing", path, f"missing; {remedy}")
    return media.uri(path.read_bytes(), mime)


def _curves(epochs: list[int], training: list[float], validation: list[float]) -> Figure:
    figure, axes = figure_of(WIDTH, 2.6)
    marker = "o" if len(epochs) == 1 else None
    axes.plot(epochs, training, color=FAINT, linewidth=1.2, marker=marker, label="training")
    axes.plot(epochs, validation, color=BLUE, linewidth=2, marker=marker, label="validation")
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    legend(axes)
    return figure


def svg(chart: Chart) -> str:
    """Return a chart as SVG that stands in a page: as wide as its place, in the page's letters and colors."""
    from matplotlib import rc_context

    written = StringIO()
    # Letters stay letters; ids are the chart's own.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.name}):
        chart.figure.savefig(
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
    shown = f'{view and view[0]} role="img" aria-label="{chart.label}"'
    return f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {shown}>{body}'
