"""Write docs/systems.md, which compares published metrics with those reached here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from instrec.errors import UserError
from instrec.tracking.reproductions import recipes
from instrec.tracking.reproductions.baselines import BASELINES, expected
from instrec.tracking.reproductions.claims import CLAIMS, verdicts
from instrec.tracking.reproductions.curves import still_rising
from instrec.tracking.reproductions.estimates import Estimate, estimate
from instrec.tracking.reproductions.recipes import BUDGETS, Recipe
from instrec.tracking.reproductions.results import Run, of_budget
from instrec.util.files import written_whole

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

_HEAD = """\
# Published systems, as published and here

`instrec dev systems` writes this page from `docs/systems.json`, and `instrec dev systems --run` runs what is missing
there.

*Here* means: trained on clips that this repository composes and renders, and tested on its frozen scores. If the
classes are General MIDI programs, new scores are tested, too. *As published* was measured on other data, and cannot be
compared with what stands here. Compare rows of one table if their commit and budget are the same, and the lines below
the table name no difference of their clips. *Unseen* is a SoundFont that is not used in training. Budget `cpu` is the
smaller one, from the `cpu` section of the recipe. Its metrics show what a network learns in minutes, and not what it
can reach. If it is another experiment than the published one, the row says so, and no conclusion rests on it.
A row is of the recipe as it was at its commit ([which recipes have changed since](published_systems.md#the-table)).

Each metric is a mean over seeds. *±* is half of its 95 % interval. With several seeds, that is over seeds and test
clips; with one seed, over test clips alone. The rows *chance* and *majority* are what a system without a model reaches
on the same tests: computed from their labels, as a mean over random draws. `*` marks a metric that does not exceed both
of them by more than its interval. *Above chance* is `yes` if no metric of the row has the mark. *Still rising* is `yes`
if a metric of validation data (see the learning curves) grew by more than .01 in the last fifth of the epochs, so that
a longer training may reach more. Weights, epochs and seconds are those of the last run. Training seconds include
validation after each epoch, and depend on other work of the machine.
"""
_CURVES = """\
## Learning curves

Metrics of validation data after each epoch, with a line per seed: micro F1 of the classes in blue, and accuracy of the
count in red, where the task is to count.

![Metrics of validation data over epochs, for each recipe]({})
"""
_CLAIMS = """\
## Which conclusions hold here

Both sides of a conclusion have the same budget. A conclusion is decided if a test rejects the opposite with an error of
5 % over all conclusions together, after Holm's correction.

- That one side is better holds if the difference is larger than the errors of seeds and of test clips explain.
- That two sides are about equal holds if two one-sided tests show that they differ by less than a margin, which the
  verdict names. It does not hold if a test shows that they differ by more.
- *Not decided* does not mean that there is no difference: the runs do not suffice to tell. With one seed on a side,
  nothing is decided, as another seed may give another result.
- Metrics of the training history have no interval over clips. Their errors are those of seeds alone.
"""

_SPEED = {"weights", "epochs", "seconds", "clips_per_second"}  # of models/speed.json


def write(
    path: Path,
    chosen: Sequence[Recipe],
    runs: Sequence[Run],
    *,
    params_file: Path = Path("params.yaml"),
    data: Path = Path("data"),
) -> None:
    """Write the page: a table per publication, with the largest budget of each recipe, and a verdict on each claim.

    The page shows the picture that `curves.draw` writes beside it.

    Parameters
    ----------
    params_file, data : for chance and majority: what recipes change, and the frozen test scores.

    Raises
    ------
    UserError
        If a recipe has no known task, or the frozen scores are not there.
    """
    by_recipe = _by_recipe(runs)
    largest = shown(runs)
    judged = {
        each.name: [run for run in by_recipe.get(each.name, []) if each.reproduces(run.budget)] for each in chosen
    }
    parts = [_HEAD]
    for _, group in groupby(chosen, lambda each: each.block):
        parts.append("\n".join(_block(list(group), largest, params_file, data)))
    if by_recipe:
        parts.append(_CURVES.format(path.with_suffix(".svg").name))
    with written_whole(path) as part:
        part.write_text("\n".join([*parts, *_conclusions(judged)]), encoding="utf-8")


def shown(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each recipe with its largest budget."""
    return {
        name: next((same for budget in BUDGETS if (same := of_budget(found, budget))), [])
        for name, found in _by_recipe(runs).items()
    }


def _by_recipe(runs: Iterable[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.recipe, []).append(run)
    return found


def _block(group: Sequence[Recipe], runs: Mapping[str, Sequence[Run]], params_file: Path, data: Path) -> Iterator[str]:
    first = group[0]
    if first.task not in FIGURES:
        allowed = ", ".join(FIGURES)
        raise UserError("value-unknown", f"recipe {first.name}: task", f"expected one of {allowed}, found {first.task}")
    columns = FIGURES[first.task]
    budget = next((own[0].budget for each in group if (own := runs.get(each.name))), BUDGETS[0])
    _, params = recipes.settings(params_file, first.changes(budget=budget), f"recipe {first.name}")
    without = {name: expected(params, data, name) for name in BASELINES}
    yield f"## {first.source}\n"
    yield f"Task: {first.task}. Published data: {first.data}.\n"
    heads = ["recipe", "system", "as published", *(f"here: {title}" for title, _ in columns)]
    heads += ["above chance", "still rising", "seeds", "commit, date"]
    heads += ["weights", "budget", "training s", "clips/s", "machine"]
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for each in group:
        own = runs.get(each.name, [])
        title = each.title_with(own[0].budget) if own else each.title
        cells, marked = _metrics(own, columns, without.values())
        yield _row([f"`{each.name}`", title, each.published, *cells, *_run(own, marked), *_cost(own)])
    for name, values in without.items():
        cells = [", ".join(_short(values.get(metric)) for metric in metrics) for _, metrics in columns]
        yield _row([name, BASELINES[name][0], "-", *cells, *["-"] * (len(heads) - 3 - len(cells))])
    yield ""
    for differs in dict.fromkeys(each.differs for each in group):
        names = ", ".join(f"`{each.name}`" for each in group if each.differs == differs)
        yield f"What differs from the publication ({names}): {differs}.\n"


def _metrics(
    runs: Sequence[Run], columns: Sequence[tuple[str, Sequence[str]]], without: Iterable[Mapping[str, float]]
) -> tuple[list[str], bool]:
    """Return a cell per column, and whether a metric is marked: no better than what is reached without a model."""
    bars = {metric: max(values) for _, metrics in columns for metric in metrics if (values := _bars(metric, without))}
    cells, marked = [], False
    for _, metrics in columns:
        found = {metric: estimate(runs, metric) for metric in metrics}
        low = {metric for metric, each in found.items() if each and metric in bars and not _above(each, bars[metric])}
        marked |= bool(low)
        cells.append(", ".join(f"{each or '-'}{'*' if metric in low else ''}" for metric, each in found.items()))
    return cells, marked


def _bars(metric: str, without: Iterable[Mapping[str, float]]) -> list[float]:
    return [values[metric] for values in without if metric in values]


def _above(each: Estimate, bar: float) -> bool:
    return each.mean - each.margin > bar


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


def _run(runs: Sequence[Run], marked: bool) -> list[str]:
    """Return whether all metrics are above chance, whether they still rise, how many seeds, commits and dates."""
    if not runs:
        return ["-"] * 4
    origin = ", ".join(dict.fromkeys(f"{run.commit} {run.date}".strip() for run in runs))
    return ["no" if marked else "yes", "yes" if still_rising(runs) else "no", str(len(runs)), origin]


def _cost(runs: Sequence[Run]) -> list[str]:
    if not runs:
        return ["-", "not run", "-", "-", "-"]
    last = runs[-1]
    speed = last.speed
    if not speed.keys() >= _SPEED:
        return ["-", last.budget, "-", "-", last.machine]
    return [
        f"{speed['weights']:,}",
        f"{last.budget}, {speed['epochs']} epochs",
        f"{speed['seconds']:.0f}",
        f"{speed['clips_per_second']:.0f}",
        last.machine,
    ]


def _conclusions(runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    yield _CLAIMS
    yield _row(["source", "conclusion", "first", "second", "here"])
    yield _row(["---"] * 5)
    for claim, found in zip(CLAIMS, verdicts(CLAIMS, runs), strict=True):
        yield _row([claim.source, claim.text, str(found.first or "-"), str(found.second or "-"), found.text])
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
