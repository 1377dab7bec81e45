"""Write docs/systems.md, which compares published metrics with those reached here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from instrec.tracking.reproductions.claims import CLAIMS, verdicts
from instrec.tracking.reproductions.curves import still_rising
from instrec.tracking.reproductions.recipes import BUDGETS, Recipe
from instrec.tracking.reproductions.results import Run, of_budget
from instrec.tracking.reproductions.table import block
from instrec.util.files import written_whole
from instrec.util.text import markdown

_HEAD = """\
# Published systems, as published and here

`instrec dev systems` writes this page from `docs/systems.json`, and `instrec dev systems --run` runs what is missing
there.

![One metric of each recipe, its interval, and chance]({})

A line is a recipe, in green our own network on the clips of a publication. A stroke is a seed, the dot their mean, the
bar its 95 % interval. The dashed line is what a system without a model reaches.

*Here* means: trained on clips that this repository composes and renders, and tested on its frozen scores. If the
classes are General MIDI programs, new scores are tested, too. *As published* was measured on other data, and cannot be
compared with what stands here. *Unseen* is a SoundFont that is not used in training. Budget `cpu` is the smaller one,
from the `cpu` section of the recipe. Its metrics show what a network learns in minutes, and not what it can reach. If
it is another experiment than the published one, the row says so, and no conclusion rests on it.
"""
_CLAIMS = """\
## Which conclusions hold here

Both sides of a conclusion have the same budget. A conclusion is decided if a test rejects the opposite with an error
of 5 % over all conclusions together, after Holm's correction.

- That one side is better holds if the difference is larger than the errors of seeds and of test clips explain.
- That two sides are about equal holds if two one-sided tests show that they differ by less than a margin, which the
  verdict names. It does not hold if a test shows that they differ by more.
- *Not decided* does not mean that there is no difference: the runs do not suffice to tell. With one seed on a side,
  nothing is decided, as another seed may give another result.
- Metrics of the training history have no interval over clips. Their errors are those of seeds alone.
"""
_TABLES = """\
In the tables below, each metric is a mean over seeds. *±* is half of its 95 % interval. With several seeds, that is
over seeds and test clips; with one seed, over test clips alone. The rows *chance* and *majority* are what a system
without a model reaches on the same tests: computed from their labels, as a mean over random draws. `*` marks a metric
that does not exceed both of them by more than its interval. *Above chance* is `yes` if no metric of the row has the
mark. Compare rows of one table if their [runs](#runs) have the same commit and budget, and the lines below the table
name no difference of their clips.
"""
_RUNS = """\
## Runs

A row of the tables above is of the recipe as it was at the commit here ([which recipes have changed
since](published_systems.md#the-table)). *Still rising* is `yes` if a metric of validation data (see the learning
curves) grew by more than .01 in the last fifth of the epochs, so that a longer training may reach more. Weights,
epochs and seconds are those of the last run. Training seconds include validation after each epoch, and depend on other
work of the machine.
"""
_CURVES = """\
## Learning curves

Metrics of validation data after each epoch, with a line per seed: micro F1 of the classes in blue, and accuracy of the
count in red, where the task is to count.

![Metrics of validation data over epochs, for each recipe]({})
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
    """Write the page: a verdict on each claim, and a table per publication, with the largest budget of each recipe.

    The page shows what `metrics_chart.draw` writes to `chart_of(path)`, and `curves.draw` beside it.

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
    parts = [_HEAD.format(chart_of(path).name), *_conclusions(judged), _TABLES]
    for _, group in groupby(chosen, lambda each: each.block):
        parts += block(list(group), largest, params_file, data)
    parts += _runs(chosen, largest)
    if by_recipe:
        parts.append(_CURVES.format(path.with_suffix(".svg").name))
    with written_whole(path) as part:
        part.write_text("\n".join(parts), encoding="utf-8")


def chart_of(path: Path) -> Path:
    """Return where the picture of all metrics stands, beside the page."""
    return path.with_name(f"{path.stem}_metrics.svg")


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


def _runs(chosen: Sequence[Recipe], runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    yield _RUNS
    columns = ("seeds", "commit, date", "budget", "still rising", "weights", "training s", "clips/s", "machine")
    rows = []
    for each in chosen:
        if own := runs.get(each.name):
            origin = ", ".join(dict.fromkeys(f"{run.commit} {run.date}".strip() for run in own))
            rows.append([f"`{each.name}`", str(len(own)), origin, *_cost(own)])
    yield markdown(["recipe", *columns], rows) + "\n"


def _cost(runs: Sequence[Run]) -> list[str]:
    last, rising = runs[-1], "yes" if still_rising(runs) else "no"
    speed = last.speed
    if not speed.keys() >= _SPEED:
        return [last.budget, rising, "-", "-", "-", last.machine]
    return [
        f"{last.budget}, {speed['epochs']} epochs",
        rising,
        f"{speed['weights']:,}",
        f"{speed['seconds']:.0f}",
        f"{speed['clips_per_second']:.0f}",
        last.machine,
    ]


def _conclusions(runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    yield _CLAIMS
    rows = [
        [claim.source, claim.text, str(found.first or "-"), str(found.second or "-"), found.text]
        for claim, found in zip(CLAIMS, verdicts(CLAIMS, runs), strict=True)
    ]
    yield markdown(["source", "conclusion", "first", "second", "here"], rows) + "\n"
