"""Estimates over seeds and clips err as often as they say, by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from instrec.tracking.reproductions.estimates import Estimate, estimate, holm, p_beyond, p_different, p_within
from instrec.tracking.reproductions.results import Run

NAME = "unseen_clean.solo.top1"
ROUNDS = 2000
CLIPS = 330
SLACK = 0.0125  # of a simulated rate: two and a half of its standard errors


def run(top1: float, seed: int = 1, half: float | None = None) -> Run:
    solo = {"top1": top1, "intervals": {"top1": [top1 - half, top1 + half]} if half else {}}
    return Run("one", "cpu", seed, "abc", "here", {"unseen_clean": {"solo": solo}}, {}, {})


def test_one_run_has_the_interval_of_its_clips() -> None:
    found = estimate([run(0.5, half=0.1)], NAME)
    assert found
    assert (found.mean, found.seeds, found.spread) == (0.5, 1, 0.0)
    assert found.margin == pytest.approx(0.1)
    assert str(found) == ".500 ± .100"


def test_without_any_error_there_is_no_interval() -> None:
    found = estimate([run(0.5)], NAME)
    assert found
    assert math.isnan(found.margin)
    assert str(found) == ".500"


def test_seeds_alone_have_students_interval() -> None:
    found = estimate([run(0.4), run(0.5, 2), run(0.6, 3)], NAME)
    assert found
    # Two degrees of freedom have 95 % within 4.303.
    assert found.margin == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-3)


def test_more_seeds_do_not_lessen_the_error_of_clips() -> None:
    found = estimate([run(0.5 + 1e-6 * seed, seed, half=0.1) for seed in range(50)], NAME)
    assert found
    assert found.margin == pytest.approx(0.1, rel=1e-3)


def test_what_no_run_has_is_no_estimate() -> None:
    assert estimate([run(0.5)], "unseen_clean.solo.nothing") is None
    assert estimate([], NAME) is None


def test_runs_without_the_metric_do_not_count() -> None:
    other = Run("one", "cpu", 2, "abc", "here", {}, {}, {})
    found = estimate([other, run(0.5, half=0.1)], NAME)
    assert found
    assert found.seeds == 1


def simulated(rng: np.random.Generator, truth: float, spread: float, clips: int = CLIPS, seeds: int = 3) -> Estimate:
    """Draw runs whose seeds differ, all measured on the same clips."""
    error = math.sqrt(truth * (1 - truth) / clips) if clips else 0.0
    values = truth + rng.normal(0, spread, seeds) + rng.normal(0, error)
    found = estimate([run(value, seed, 1.96 * error or None) for seed, value in enumerate(values)], NAME)
    assert found
    return found


def rate(happens: Callable[[np.random.Generator], bool], rounds: int = ROUNDS) -> float:
    rng = np.random.default_rng(3)
    return float(np.mean([happens(rng) for _ in range(rounds)]))


@pytest.mark.parametrize(("spread", "clips"), [(0.0001, CLIPS), (0.03, CLIPS), (0.1, CLIPS), (0.03, 0)])
def test_intervals_cover_the_truth(spread: float, clips: int) -> None:
    def covers(rng: np.random.Generator) -> bool:
        found = simulated(rng, 0.6, spread, clips)
        return abs(found.mean - 0.6) <= found.margin

    assert 0.95 - SLACK <= rate(covers) <= 0.99


@pytest.mark.parametrize(("spread", "clips"), [(0.01, CLIPS), (0.05, CLIPS), (0.05, 0)])
def test_equal_systems_are_seldom_found_different(spread: float, clips: int) -> None:
    def found(rng: np.random.Generator) -> bool:
        return p_different(simulated(rng, 0.6, spread, clips), simulated(rng, 0.6, spread, clips)) <= 0.05

    assert rate(found) <= 0.05 + SLACK


def test_a_large_difference_is_found() -> None:
    rng = np.random.default_rng(1)
    found = [p_different(simulated(rng, 0.8, 0.01), simulated(rng, 0.5, 0.01)) <= 0.05 for _ in range(100)]
    assert all(found)


def test_systems_that_differ_by_the_margin_are_seldom_found_equal_or_unequal() -> None:
    def equal(rng: np.random.Generator) -> bool:
        return p_within(simulated(rng, 0.6, 0.01, 5000), simulated(rng, 0.65, 0.01, 5000), 0.05) <= 0.05

    def unequal(rng: np.random.Generator) -> bool:
        return p_beyond(simulated(rng, 0.6, 0.01, 5000), simulated(rng, 0.65, 0.01, 5000), 0.05) <= 0.05

    assert rate(equal) <= 0.05 + SLACK
    assert rate(unequal) <= 0.05 + SLACK


def test_many_clips_show_that_systems_are_about_equal() -> None:
    def equal(rng: np.random.Generator) -> bool:
        return p_within(simulated(rng, 0.6, 0.002, 20_000), simulated(rng, 0.6, 0.002, 20_000), 0.05) <= 0.05

    assert rate(equal, 100) > 0.95


def test_without_errors_nothing_is_found() -> None:
    one, two = Estimate(0.9, 3, 0.0, 0.0), Estimate(0.1, 3, 0.0, 0.0)
    assert min(p_different(one, two), p_within(one, two, 0.05), p_beyond(one, two, 0.05)) >= 0.5


def test_holm_keeps_the_order_and_corrects_the_smallest_most() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.001]) == pytest.approx([0.9, 0.002])
    assert holm([]) == []


def test_of_many_true_hypotheses_any_is_seldom_rejected() -> None:
    assert rate(lambda rng: min(holm(rng.random(20).tolist())) <= 0.05) <= 0.05 + SLACK
