"""Write docs/systems.md, which compares published metrics with those reached here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from instrec import taxonomy
from instrec.errors import UserError
from instrec.tracking.reproductions.claims import CLAIMS, verdict
from instrec.tracking.reproductions.recipes import BUDGETS, Recipe
from instrec.tracking.reproductions.results import Figure, Run, figure, of_budget
from instrec.util.files import written_whole

# What is shown of a recipe, by its task: heading and metrics.
FIGURES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "solo": (
        ("top-1, seen SoundFonts", ("seen_clean.solo.top1",)),
        ("top-1, unseen", ("unseen_clean.solo.top1",)),
        ("macro F1, unseen", ("unseen_clean.solo.macro_f1",)),
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
classes are General MIDI programs, new scores are tested, too. In a table, rows with the same budget have the same clips
and splits. You can compare them with each other, unless a line below the table says otherwise. You cannot compare them
with "as published", which was measured on other data. *Unseen* is a SoundFont that is not used in training. Budget
`cpu` is the smaller one, from the `cpu` section of the recipe. Its metrics show what a network learns in minutes, and
not what it can reach. Training seconds include validation after each epoch, and depend on other work of the machine.
"""

_SPEED = {"weights", "epochs", "seconds", "clips_per_second"}  # of models/speed.json


def write(path: Path, chosen: Sequence[Recipe], runs: Iterable[Run]) -> None:
    """Write the page: a table per publication, with the largest budget of each recipe, and a verdict on each claim."""
    by_recipe: dict[str, list[Run]] = {}
    for run in runs:
        by_recipe.setdefault(run.recipe, []).append(run)
    blocks = ["\n".join(_block(list(group), by_recipe)) for _, group in groupby(chosen, lambda each: each.source)]
    with written_whole(path) as part:
        text = "\n".join([_HEAD, *blocks, *_conclusions(by_recipe)])
        part.write_text(text, encoding="utf-8")


def _block(group: Sequence[Recipe], runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    first = group[0]
    if first.task not in FIGURES:
        allowed = ", ".join(FIGURES)
        raise UserError("value-unknown", f"recipe {first.name}: task", f"expected one of {allowed}, found {first.task}")
    columns = FIGURES[first.task]
    yield f"## {first.source}\n"
    yield f"Task: {first.task}. Published data: {first.data}.\n"
    heads = ["recipe", "system", "as published", *(f"here: {title}" for title, _ in columns)]
    heads += ["weights", "budget", "training s", "clips/s", "machine"]
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for each in group:
        found = runs.get(each.name, [])
        own = next((same for budget in BUDGETS if (same := of_budget(found, budget))), [])
        cells = [f"`{each.name}`", each.title, each.published]
        cells += [_cell(own, metrics) for _, metrics in columns]
        yield _row([*cells, *_cost(own)])
    if first.params.get("classes") == [taxonomy.GENERAL_MIDI]:
        for name, title, figures in _baselines(len(taxonomy.PROGRAMS)):
            both = ", ".join(str(Figure(value, 0.0, 0.0, 1)) for value in figures)
            yield _row([name, title, "-", both, both, *["-"] * (len(heads) - 5)])
    yield ""
    for differs in dict.fromkeys(each.differs for each in group):
        names = ", ".join(f"`{each.name}`" for each in group if each.differs == differs)
        yield f"What differs from the publication ({names}): {differs}.\n"


def _baselines(programs: int) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Yield what is expected without a model: name, title, macro F1 of count, micro F1 of instruments.

    Tests have 0, 1, 2 or 3 programs in equal parts, so 1.5 on average, and each program equally often.
    """
    yield "chance", "any number and any programs, at random", (1 / 4, 1.5 / programs)
    # Of one number in four, precision is 1/4 and recall is 1; F1 of the others is 0.
    yield "majority", "always the same single program", (2 / 5 / 4, 2 * 1.5 / programs / (1 + 1.5))


def _cell(runs: Sequence[Run], metrics: Sequence[str]) -> str:
    figures = [figure(runs, metric) for metric in metrics]
    return ", ".join("-" if each is None else str(each) for each in figures)


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
    yield "## Which conclusions hold here\n"
    yield (
        "A conclusion holds where the 95 % interval of the difference does not reach 0; it comes from the bootstrap\n"
        "intervals of one run or, with several seeds, from their spread. One run's interval does not know what\n"
        "another seed would have given. What has no interval only points one way.\n"
        "Both sides have the same budget.\n"
    )
    yield _row(["source", "conclusion", "first", "second", "here"])
    yield _row(["---"] * 5)
    for claim in CLAIMS:
        found = verdict(claim, runs)
        cells = [str(found[0]), str(found[1]), found[2]] if found else ["-", "-", "not run"]
        yield _row([claim.source, claim.text, *cells])
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
