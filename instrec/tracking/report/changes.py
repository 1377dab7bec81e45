"""Changes against another commit, for the page; the gate reads and compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instrec.tracking import gate
from instrec.tracking.gate import commits, comparison
from instrec.tracking.gate.comparison import Change, Mark
from instrec.tracking.summary import METRICS

MARKS: tuple[Mark, ...] = ("worse", "missing", "better", "new", "within noise", "same")


@dataclass(frozen=True)
class Changes:
    """Parameters and metrics that differ from the base.

    Attributes
    ----------
    base : its name and hash.
    params : name, old and new value; None where a side has none.
    metrics : by mark, in the order of `MARKS`: name and change, the largest difference first.
    notes : reasons why metrics cannot be compared.
    """

    base: str
    params: Sequence[tuple[str, Any, Any]]
    metrics: dict[Mark, list[tuple[str, Change]]]
    notes: Sequence[str]


def state(root: Path) -> str:
    """Name the working tree, as plain text."""
    return commits.described(root).replace("`", "").rstrip(",")


def since(root: Path, base: str) -> Changes:
    """Compare the working tree with a commit.

    Raises
    ------
    UserError
        If git does not know it, or a file of it is damaged.
    """
    commit = commits.resolve(root, base)
    measured = commits.mapping(root, METRICS, commit)
    old = comparison.figures(measured or {})
    new = comparison.figures(commits.mapping(root, METRICS) or {})
    notes = list(comparison.changed_sizes(old, new))
    if measured is None:
        notes.append(f"{base} has no {METRICS}: there are no metrics to compare with; name a commit that has")
    compared = comparison.compare(old, new, {}) if measured else {}
    largest_first = sorted(compared.items(), key=lambda each: -abs(each[1].difference))
    by_mark = {mark: [each for each in largest_first if each[1].mark == mark] for mark in MARKS}
    params = gate.differences(*(commits.mapping(root, gate.PARAMS, side) or {} for side in (commit, None)))
    return Changes(f"{base} ({commit[:7]})", list(params), by_mark, notes)
