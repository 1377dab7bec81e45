"""A conclusion holds, does not hold, or cannot be told, by the errors of its two sides."""

from pathlib import Path

import pytest

from instrec.tracking.reproductions import recipes
from instrec.tracking.reproductions.claims import CLAIMS, Claim, verdict
from instrec.tracking.reproductions.results import Run

METRIC = "unseen_clean.solo.top1"
BETTER = Claim("s", "one beats two", ("one", METRIC), ("two", METRIC))
EQUAL = Claim("s", "one is two", ("one", METRIC), ("two", METRIC), equal=True)


def run(recipe: str, top1: float, width: float | None, budget: str = "cpu") -> Run:
    solo = {"top1": top1, "intervals": {"top1": [top1 - width, top1 + width]} if width else {}}
    return Run(recipe, budget, 1, "abc", "here", {"unseen_clean": {"solo": solo}}, {}, {})


@pytest.mark.parametrize(
    ("claim", "one", "two", "width", "said"),
    [
        (BETTER, 0.8, 0.5, 0.05, "holds"),
        (BETTER, 0.5, 0.8, 0.05, "the reverse holds"),
        (BETTER, 0.52, 0.5, 0.05, "too close to tell"),
        (BETTER, 0.52, 0.5, None, "points that way"),
        (BETTER, 0.5, 0.52, None, "points the other way"),
        (EQUAL, 0.52, 0.5, 0.05, "holds: no difference found"),
        (EQUAL, 0.8, 0.5, 0.05, "does not hold"),
    ],
)
def test_the_verdict_follows_the_errors(claim: Claim, one: float, two: float, width: float, said: str) -> None:
    found = verdict(claim, {"one": [run("one", one, width)], "two": [run("two", two, width)]})
    assert found
    assert (found[0].mean, found[1].mean, found[2]) == (one, two, said)


def test_what_was_not_run_has_no_verdict() -> None:
    assert verdict(BETTER, {"one": [run("one", 0.5, None)]}) is None


def test_only_runs_with_one_budget_are_compared() -> None:
    one, two = [run("one", 0.5, 0.05)], [run("two", 0.7, 0.05), run("two", 0.9, 0.05, "full")]
    found = verdict(BETTER, {"one": one, "two": two})
    assert found
    assert (found[0].mean, found[1].mean) == (0.5, 0.7)
    assert verdict(BETTER, {"one": one, "two": two[1:]}) is None


def test_every_claim_is_about_recipes_that_exist() -> None:
    known = recipes.names(Path(__file__).parents[3] / "recipes")
    assert {name for claim in CLAIMS for name, _ in (claim.first, claim.second)} <= set(known)
