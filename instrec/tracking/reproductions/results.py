"""Results of recipes: one JSON file, to which each run adds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

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
    machine : what it ran on, and in which precision if one was chosen, in a few words.
    metrics : the content of metrics/test.json.
    history : every column of models/history.csv, an epoch after the other.
    speed : the content of models/speed.json; empty where the model came out of DVC's cache.
    date : ISO day on which it was run; empty if unknown.
    """

    recipe: str
    budget: str
    seed: int
    commit: str
    machine: str
    metrics: dict[str, Any]
    history: dict[str, list[float]]
    speed: dict[str, int | float]
    date: str = ""


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


def value(run: Run, name: str) -> float | None:
    """Return a metric by its path in test.json, for example `unseen_clean.solo.top1`; None if it is no finite number.

    `history.KEY.N` is the value of column KEY of history.csv after epoch N.
    """
    if name.startswith("history."):
        _, column, epoch = name.split(".")
        values = run.history.get(column, [])
        found = values[int(epoch) - 1] if len(values) >= int(epoch) else None
    else:
        found = _at(run.metrics, name)
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None


def interval(run: Run, name: str) -> tuple[float, float] | None:
    """Return the bootstrap interval of a metric over clips; None if the run has none."""
    way, _, metric = name.rpartition(".")
    match _at(run.metrics, f"{way}.intervals.{metric}"):
        case [int() | float() as low, int() | float() as high] if math.isfinite(high - low):
            return low, high
    return None


def _at(tree: Any, way: str) -> Any:
    for key in way.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    return tree
