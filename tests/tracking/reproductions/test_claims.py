"""A conclusion holds, does not hold, or is not decided, by the errors of both sides and the number of conclusions."""

from pathlib import Path

import numpy as np
import pytest

from instrec.tracking.reproductions import recipes
from instrec.tracking.reproductions.claims import CLAIMS, Claim, verdicts
from instrec.tracking.reproductions.results import Run

METRIC = "unseen_clean.solo.top1"
BETTER = Claim("s", "one beats two", ("one", METRIC), ("two", METRIC))
EQUAL = Claim("s", "one is two", ("one", METRIC), ("two", METRIC), equal=True)


def run(recipe: str, top1: float, half: float | None, budget: str = "cpu", seed: int = 1) -> Run:
    solo = {"top1": top1, "intervals": {"top1": [top1 - half, top1 + half]} if half else {}}
    return Run(recipe, budget, seed, "abc", "here", {"unseen_clean": {"solo": solo}}, {}, {})


def seeds(recipe: str, mean: float, half: float | None = 0.02, spread: float = 0.005) -> list[Run]:
    return [run(recipe, mean + spread * place, half, seed=place) for place in (-1, 0, 1)]


def said(claim: Claim, one: list[Run], two: list[Run]) -> str:
    (found,) = verdicts([claim], {"one": one, "two": two})
    return found.text


@pytest.mark.parametrize(
    ("claim", "one", "two", "half", "expected"),
    [
        (BETTER, 0.8, 0.5, 0.02, "holds"),
        (BETTER, 0.5, 0.8, 0.02, "the reverse holds"),
        (BETTER, 0.52, 0.5, 0.02, "not decided"),
        (BETTER, 0.52, 0.5, 0.0, "holds"),  # without an error of clips
        (EQUAL, 0.51, 0.5, 0.02, "holds: within .05"),
        (EQUAL, 0.5, 0.51, 0.02, "holds: within .05"),
        (EQUAL, 0.51, 0.5, 0.1, "not decided"),
        (EQUAL, 0.55, 0.5, 0.02, "not decided"),
        (EQUAL, 0.8, 0.5, 0.02, "does not hold"),
    ],
)
def test_the_verdict_follows_the_errors(claim: Claim, one: float, two: float, half: float, expected: str) -> None:
    assert said(claim, seeds("one", one, half), seeds("two", two, half)) == expected


def test_a_margin_of_its_own_is_named() -> None:
    wide = Claim("s", "t", ("one", METRIC), ("two", METRIC), equal=True, margin=0.2)
    assert said(wide, seeds("one", 0.5), seeds("two", 0.6)) == "holds: within .2"


def test_one_seed_decides_nothing() -> None:
    assert said(BETTER, seeds("one", 0.9), [run("two", 0.1, 0.01)]) == "not decided"
    assert said(EQUAL, [run("one", 0.5, 0.001)], [run("two", 0.5, 0.001)]) == "not decided"


def test_the_number_of_conclusions_matters() -> None:
    """What is found alone may not be found among many."""
    runs = {"one": seeds("one", 0.57, half=0.03), "two": seeds("two", 0.5, half=0.03), "same": seeds("same", 0.5)}
    dull = Claim("s", "one beats itself", ("same", METRIC), ("same", METRIC))
    assert verdicts([BETTER], runs)[0].text == "holds"
    assert [found.text for found in verdicts([BETTER, *[dull] * 30], runs)] == ["not decided"] * 31


def test_conclusions_that_cannot_be_tested_do_not_count() -> None:
    runs = {
        "one": seeds("one", 0.57, half=0.03),
        "two": seeds("two", 0.5, half=0.03),
        "single": [run("single", 0.5, 0.1)],
    }
    untested = Claim("s", "t", ("one", METRIC), ("single", METRIC))
    assert verdicts([BETTER, *[untested] * 30], runs)[0].text == "holds"


def test_false_conclusions_are_seldom_drawn_from_equal_systems() -> None:
    """Twenty pairs of systems, all equally good, a hundred times: any of the conclusions is drawn in at most 5 %."""
    rng = np.random.default_rng(5)
    claims = [Claim("s", "t", (f"{place}a", METRIC), (f"{place}b", METRIC)) for place in range(20)]
    wrong = 0
    for _ in range(100):
        runs = {
            f"{place}{side}": [
                run("x", value, 0.05, seed=seed) for seed, value in enumerate(rng.normal(center, 0.02, 3))
            ]
            for place in range(20)
            for side in "ab"
            for center in [rng.normal(0.6, 0.05 / 1.96)]
        }
        wrong += any(found.text != "not decided" for found in verdicts(claims, runs))
    assert wrong <= 10  # 5 of 100, and two and a half of their standard errors


def test_what_was_not_run_has_no_verdict() -> None:
    (found,) = verdicts([BETTER], {"one": seeds("one", 0.5)})
    assert (found.first, found.second, found.text) == (None, None, "not run")


def test_only_runs_with_one_budget_are_compared() -> None:
    one, two = seeds("one", 0.5), seeds("two", 0.7)
    full = [run("two", 0.9, 0.05, "full")]
    (found,) = verdicts([BETTER], {"one": one, "two": two + full})
    assert found.second
    assert found.second.mean == pytest.approx(0.7)
    assert said(BETTER, one, full) == "not run"


def test_every_claim_is_about_recipes_that_exist() -> None:
    known = recipes.names(Path(__file__).parents[3] / "recipes")
    assert {name for claim in CLAIMS for name, _ in (claim.first, claim.second)} <= set(known)
