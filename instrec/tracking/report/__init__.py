"""The page of `instrec dev report`: metrics, changes, mistakes and a timeline in one HTML file.

If the source of a part is missing, the page names the command that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from instrec import params
from instrec.audio import separation
from instrec.corpus import test_sets
from instrec.errors import UserError
from instrec.evaluation import figures
from instrec.evaluation.figures import Chart
from instrec.inference import keras_model
from instrec.models import classifier
from instrec.models.classifier import Classifier
from instrec.tracking.report import changes, charts, metric_tables, mistakes, playing
from instrec.util.files import written_whole
from instrec.web.templates import LOOKS, source, templates

PLOTS, HISTORY = Path("metrics/plots"), Path("models/history.csv")
TEMPLATE, BEHAVIOR = "page.html", "page.js"


def write(output: Path, *, model: Path, base: str | None = None, file: Path | None = None) -> None:
    """Write the page of the working tree in the current folder.

    Parameters
    ----------
    output : the HTML file.
    model : whose mistakes and timeline are shown.
    base : a commit, branch or tag to compare with.
    file : audio whose timeline is shown; some test clips one after another unless given.

    Raises
    ------
    UserError
        If there are no metrics, git does not know `base`, `file` is no audio, or the page cannot be written.
    """
    parameters = params.load()
    sets = metric_tables.read()
    names = [each.name for each in sets]
    compared = changes.since(Path(), base) if base else None
    known = _or_lacking(lambda: classifier.load(model))
    timeline = _timeline(known, file)  # early, as it may end the command
    content = {
        "state": changes.state(Path()),
        "task": parameters.task,
        "classes": len(parameters.classes),
        "metrics": sets,
        "headline": next((each.name for each in test_sets.TEST_SETS if each.unseen and each.name in names), names[0]),
        "changes": compared,
        "learning": _or_lacking(lambda: charts.learning_curves(HISTORY)),
        "drawn": _or_lacking(lambda: _of_sets(names)),
        "sweep": _or_lacking(lambda: charts.thresholds(PLOTS)),
        "examples": _or_lacking(lambda: charts.examples(PLOTS)),
        "mistakes": _of_model(known, lambda model: mistakes.find(model, names, parameters.task)),
        "timeline": timeline,
        "pipeline": _or_lacking(charts.pipeline),
    }
    with written_whole(output) as part:
        part.write_text(rendered(content), encoding="utf-8")


def rendered(content: dict[str, Any]) -> str:
    """Fill the template; all text is escaped, except the drawings of this package."""
    known = templates("instrec.tracking.report", "instrec.web")
    known.filters["svg"] = charts.svg
    known.tests["lacking"] = lambda value: isinstance(value, UserError)
    looks, behavior = (source(known, name) for name in (LOOKS, BEHAVIOR))
    return known.get_template(TEMPLATE).render(content, looks=looks, behavior=behavior)


def _or_lacking(make: Callable[[], Any]) -> Any:
    """Return a part, or the error that says why it could not be made."""
    try:
        return make()
    except UserError as error:
        return error


def _of_sets(names: Sequence[str]) -> dict[str, list[Chart]]:
    found = figures.of_sets(PLOTS, names)
    if not found:
        raise UserError("folder-empty", PLOTS, "holds no tables to draw; run `dvc repro evaluate`")
    return found


def _of_model(known: Classifier | UserError, make: Callable[[Classifier], Any]) -> Any:
    return known if isinstance(known, UserError) else _or_lacking(lambda: make(known))


def _timeline(known: Classifier | UserError, file: Path | None) -> Any:
    """Any error in a file that the user named ends the command."""
    if file is None:
        return _of_model(known, _of_clips)
    if isinstance(known, UserError):
        raise known
    return playing.file(keras_model.made(known), file)


def _of_clips(known: Classifier) -> Any:
    return playing.clips(keras_model.made(known), sample=separation.axis_of(known.card.spectrogram.part))
