"""The conclusions of the papers, each as a comparison of two metrics that are measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from instrec.tracking.reproductions.estimates import ALPHA, Estimate, estimate, holm, p_beyond, p_different, p_within
from instrec.tracking.reproductions.recipes import BUDGETS
from instrec.tracking.reproductions.results import Run, of_budget
from instrec.util import documents

Side = tuple[str, str]
"""A recipe's name, and a metric's way through test.json."""

NOT_RUN, UNDECIDED = "not run", "not decided"


@dataclass(frozen=True)
class Claim:
    """One conclusion: `first` is better than `second`, or where `equal`, they differ by less than `margin`."""

    source: str
    text: str
    first: Side
    second: Side
    equal: bool = False
    margin: float = 0.05


CLAIMS = tuple(Claim(**each) for each in documents.load_yaml(Path(__file__).with_name("claims.yaml")))


@dataclass(frozen=True)
class Verdict:
    """What is measured here about a conclusion.

    Attributes
    ----------
    first, second : both sides; None if they were not run with the same budget.
    text : `holds`, `the reverse holds`, `holds: within .05`, `does not hold`, `not decided` or `not run`.
    """

    first: Estimate | None
    second: Estimate | None
    text: str


def verdicts(claims: Sequence[Claim], runs: Mapping[str, Sequence[Run]]) -> list[Verdict]:
    """Judge conclusions by the runs of each recipe.

    Each conclusion has one test: of no difference, or where `equal`, of a difference of the margin, in both directions.
    Their p-values are corrected with Holm's method for the number of conclusions that are tested. Those with a single
    seed on a side are not: nobody knows what another seed would give.
    """
    sides = [_sides(claim, runs) for claim in claims]
    tests = {
        place: _test(claim, *both)
        for place, (claim, both) in enumerate(zip(claims, sides, strict=True))
        if both and min(one.seeds for one in both) > 1
    }
    corrected = zip(tests, holm([p for p, _ in tests.values()]), strict=True)
    found = {place: tests[place][1] for place, p in corrected if p <= ALPHA}
    return [
        Verdict(*both, found.get(place, UNDECIDED)) if both else Verdict(None, None, NOT_RUN)
        for place, both in enumerate(sides)
    ]


def _sides(claim: Claim, runs: Mapping[str, Sequence[Run]]) -> tuple[Estimate, Estimate] | None:
    """Return both sides with the largest budget that both were run with."""
    for budget in BUDGETS:
        first, second = (
            estimate(of_budget(runs.get(name, ()), budget), metric) for name, metric in (claim.first, claim.second)
        )
        if first and second:
            return first, second
    return None


def _test(claim: Claim, first: Estimate, second: Estimate) -> tuple[float, str]:
    """Return a p-value, and what is said if it is small."""
    if not claim.equal:
        return p_different(first, second), "holds" if first.mean > second.mean else "the reverse holds"
    return min(
        (p_within(first, second, claim.margin), f"holds: within {claim.margin:g}".replace(" 0.", " .")),
        (p_beyond(first, second, claim.margin), "does not hold"),
    )
