"""Results of recipes: one JSON file, to which each run adds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from scipy import stats

from instrec.errors import UserError
from instrec.util import documents
from instrec.util.files import written_whole


@dataclass(frozen=True)
class Run:
    """One training of one recipe.

    Attributes
    ----------
    recipe, budget, seed : what was run: `full` or `cpu` budget.
    commit : of the code that ran.
    machine : what it ran on, in a few words.
    metrics : the content of metrics/test.json.
    history : every column of models/history.csv, an epoch after the other.
    speed : the content of models/speed.json; empty where the model came out of DVC's cache.
    """

    recipe: str
    budget: str
    seed: int
    commit: str
    machine: str
    metrics: dict[str, Any]
    history: dict[str, list[float]]
    speed: dict[str, int | float]


def read(path: Path) -> list[Run]:
    """Read the runs so far; none where there is no file yet.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    if not path.exists():
        return []
    remedy = f"restore it: git checkout {path}"
    tree = documents.load_json(path, remedy=remedy)
    try:
        return TypeAdapter(list[Run]).validate_python(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError("document-unreadable", path, f"cannot be read ({what}); {remedy}") from error


def add(path: Path, run: Run) -> None:
    """Replace the run with the same recipe, budget and seed, or append it."""
    kept = [each for each in read(path) if _what(each) != _what(run)]
    runs = sorted([*kept, run], key=_what)
    with written_whole(path) as part:
        part.write_text(json.dumps([asdict(each) for each in runs], indent=1) + "\n", encoding="utf-8")


def of_budget(runs: Iterable[Run], budget: str) -> list[Run]:
    """Return the runs with one budget: what was trained longer is no repetition of what was trained less."""
    return [run for run in runs if run.budget == budget]


def _what(run: Run) -> tuple[str, str, int]:
    return run.recipe, run.budget, run.seed


@dataclass(frozen=True)
class Figure:
    """A metric over runs that differ by their seed alone.

    Attributes
    ----------
    mean : over the runs.
    spread : standard deviation over the runs; 0 with one.
    margin : half the width of its 95 % interval: from the spread over runs, or with one run the bootstrap's; NaN where
        neither tells.
    runs : how many.
    """

    mean: float
    spread: float
    margin: float
    runs: int

    def __str__(self) -> str:
        text = f"{self.mean:.3f}".removeprefix("0")
        return f"{text} ± {self.spread:.3f} ({self.runs} seeds)" if self.runs > 1 else text


def figure(runs: Sequence[Run], name: str) -> Figure | None:
    """Return a metric by its path in test.json, for example `unseen_clean.solo.top1`; None if no run has it.

    `history.KEY.N` is the value of an epoch.
    """
    found = [(value, run) for run in runs if (value := _value(run, name)) is not None]
    if not found:
        return None
    values = [value for value, _ in found]
    mean, count = statistics.fmean(values), len(values)
    if count > 1:
        spread = statistics.stdev(values)
        return Figure(mean, spread, float(stats.t.ppf(0.975, count - 1)) * spread / count**0.5, count)
    way, _, metric = name.rpartition(".")
    match _at(found[0][1].metrics, f"{way}.intervals.{metric}"):
        case [int() | float() as low, int() | float() as high]:
            return Figure(mean, 0.0, (high - low) / 2, 1)
    return Figure(mean, 0.0, float("nan"), 1)


def _value(run: Run, name: str) -> float | None:
    if name.startswith("history."):
        _, column, epoch = name.split(".")
        values = run.history.get(column, [])
        return values[int(epoch) - 1] if len(values) >= int(epoch) else None
    value = _at(run.metrics, name)
    return float(value) if isinstance(value, int | float) else None


def _at(tree: Any, way: str) -> Any:
    for key in way.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    return tree
