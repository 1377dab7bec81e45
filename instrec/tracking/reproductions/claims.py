"""The conclusions of the papers, each as a comparison of two metrics that are measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from instrec.tracking.reproductions.recipes import BUDGETS
from instrec.tracking.reproductions.results import Figure, Run, figure, of_budget
from instrec.util import documents

Side = tuple[str, str]
"""A recipe's name, and a metric's way through test.json."""


@dataclass(frozen=True)
class Claim:
    """One conclusion: `first` is better than `second`, or about as good where `equal`."""

    source: str
    text: str
    first: Side
    second: Side
    equal: bool = False


CLAIMS = tuple(Claim(**each) for each in documents.load_yaml(Path(__file__).with_name("claims.yaml")))


def verdict(claim: Claim, runs: Mapping[str, Sequence[Run]]) -> tuple[Figure, Figure, str] | None:
    """Return whether the conclusion holds here; None if the sides were not run with the same budget.

    If the 95 % interval of the difference contains 0, it is too close to tell. The errors of both sides count as
    independent; on the same clips, this makes that verdict too frequent.
    """
    for budget in BUDGETS:
        first, second = (
            figure(of_budget(runs.get(name, ()), budget), metric) for name, metric in (claim.first, claim.second)
        )
        if first and second:
            return first, second, _said(claim, first, second)
    return None


def _said(claim: Claim, first: Figure, second: Figure) -> str:
    difference, margin = first.mean - second.mean, math.hypot(first.margin, second.margin)
    if math.isnan(margin):
        return "points that way" if difference > 0 else "points the other way"
    told_apart = abs(difference) > margin
    if claim.equal:
        return "does not hold" if told_apart else "holds: no difference found"
    if not told_apart:
        return "too close to tell"
    return "holds" if difference > 0 else "the reverse holds"
