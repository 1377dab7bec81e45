"""The table of a publication: what it published, and what is reached here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from instrec.errors import UserError
from instrec.tracking.reproductions import recipes
from instrec.tracking.reproductions.baselines import BASELINES, expected
from instrec.tracking.reproductions.estimates import estimate
from instrec.tracking.reproductions.recipes import BUDGETS, Recipe
from instrec.tracking.reproductions.results import Run
from instrec.util.text import markdown

# What is shown of a recipe, by its task: heading and metrics.
FIGURES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "solo": (
        ("top-1, seen SoundFonts", ("seen_clean.solo.top1",)),
        ("top-1, unseen", ("unseen_clean.solo.top1",)),
        ("macro F1, unseen", ("unseen_clean.solo.macro_f1",)),
        ("top-1 on notes, seen and unseen", ("composed_clean.solo.top1", "composed_unseen.solo.top1")),
        ("loss, seen and unseen", ("seen_clean.solo.loss", "unseen_clean.solo.loss")),
    ),
    "multilabel": tuple(
        (
            f"{aggregation}, {thresholds} threshold: micro, macro F1",
            tuple(f"unseen_excerpts.excerpts.{protocol}.{mean}_f1" for mean in ("micro", "macro")),
        )
        for aggregation, thresholds, protocol in (
            ("S1", "one", "s1_global"),
            ("S2", "one", "s2_global"),
            ("S2", "class-wise", "s2_class"),
        )
    ),
    "count_presence": (
        *(
            (
                f"tested {noise}: macro F1 of count, micro F1 of instruments",
                tuple(f"composed_{noise}.mixtures.{metric}" for metric in ("count_macro_f1", "by_count_micro_f1")),
            )
            for noise in ("clean", "noisy")
        ),
        ("top-1 of instruments, unseen", ("unseen_clean.solo.top1",)),
    ),
}


def block(group: Sequence[Recipe], runs: Mapping[str, Sequence[Run]], params_file: Path, data: Path) -> Iterator[str]:
    """Return the lines of the recipes of one publication, with chance, majority and what differs from the publication.

    Raises
    ------
    UserError
        If a recipe has no known task, or the frozen scores are not there.
    """
    first = group[0]
    if first.task not in FIGURES:
        allowed = ", ".join(FIGURES)
        raise UserError("value-unknown", f"recipe {first.name}: task", f"expected one of {allowed}, found {first.task}")
    budget = next((own[0].budget for each in group if (own := runs.get(each.name))), BUDGETS[0])
    _, params = recipes.settings(params_file, first.changes(budget=budget), f"recipe {first.name}")
    without = {name: expected(params, data, name) for name in BASELINES}
    columns = [
        (title, metrics)
        for title, metrics in FIGURES[first.task]
        if any(metric in values for values in without.values() for metric in metrics)
        or any(estimate(runs.get(each.name, []), metric) for each in group for metric in metrics)
    ]
    yield f"## {first.block}\n"
    yield f"Task: {first.task}. Published data: {first.data}.\n"
    titles = ["recipe", "system", "as published", *(f"here: {title}" for title, _ in columns), "above chance"]
    rows = []
    for each in group:
        own = runs.get(each.name, [])
        title = each.title_with(own[0].budget) if own else each.title
        cells, marked = _metrics(own, columns, without.values())
        above = ("no" if marked else "yes") if own else "not run"
        rows.append([f"`{each.name}`", title, each.published, *cells, above])
    for name, values in without.items():
        cells = [", ".join(_short(values.get(metric)) for metric in metrics) for _, metrics in columns]
        rows.append([name, BASELINES[name][0], "-", *cells, "-"])
    yield markdown(titles, rows) + "\n"
    for differs in dict.fromkeys(each.differs for each in group):
        names = ", ".join(f"`{each.name}`" for each in group if each.differs == differs)
        yield f"What differs from the publication ({names}): {differs}.\n"


def _metrics(
    runs: Sequence[Run], columns: Sequence[tuple[str, Sequence[str]]], without: Iterable[Mapping[str, float]]
) -> tuple[list[str], bool]:
    """Return a cell per column, and whether a metric is marked: no better than what is reached without a model."""
    bars: dict[str, float] = {}
    for metric, value in (each for values in without for each in values.items()):
        bars[metric] = max(value, bars.get(metric, value))
    cells, marked = [], False
    for _, metrics in columns:
        found = {metric: estimate(runs, metric) for metric in metrics}
        low = {
            metric
            for metric, each in found.items()
            if each and metric in bars and not each.mean - each.margin > bars[metric]  # which may be NaN
        }
        marked |= bool(low)
        cells.append(", ".join(f"{each or '-'}{'*' if metric in low else ''}" for metric, each in found.items()))
    return cells, marked


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removeprefix("0")
