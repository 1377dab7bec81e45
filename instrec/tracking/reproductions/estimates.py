"""Metrics over seeds: mean, 95 % interval, and how sure a difference is.

A metric errs for two reasons. Another seed would train another model: n seeds with a variance s² give a variance of the
mean of s²/n, with n - 1 degrees of freedom. And the test has some clips of many: the bootstrap over clips gives a
variance, and more seeds do not lessen it, as they share their clips. Of a difference, the variances of both sides add,
and the degrees of freedom are those of Welch (1947).

Half an interval is `sqrt(t² seeds + z² clips)`, with the quantiles t of Student and z of Gauss: the errors of both
parts, each with its own quantile, add like variances (Zou and Donner, Statistics in Medicine 27, 2008). One quantile
for the sum, after Satterthwaite, makes intervals of few seeds too small: with three, those of 95 % hold in 92 %.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from instrec.tracking.reproductions.results import Run, interval, value

ALPHA = 0.05
_SMALLEST = 1e-12  # smaller p-values are not told apart


@dataclass(frozen=True)
class Estimate:
    """A metric over runs that differ by their seed alone.

    Attributes
    ----------
    mean : over the runs.
    seeds : how many.
    spread : variance of the mean that comes from seeds; 0 with one run, which cannot know it.
    clips : variance that comes from the choice of test clips; 0 if no run has an interval.
    """

    mean: float
    seeds: int
    spread: float
    clips: float

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval, with one run over clips alone; NaN if nothing is known of its error."""
        return _half(ALPHA / 2, self) or math.nan

    def __str__(self) -> str:
        text = f"{self.mean:.3f}".removeprefix("0")
        return text if math.isnan(self.margin) else f"{text} ± {self.margin:.3f}".replace("± 0", "± ")


def estimate(runs: Sequence[Run], name: str) -> Estimate | None:
    """Return a metric, named as in `results.value`, over runs; None if no run has it."""
    found = [(one, run) for run in runs if (one := value(run, name)) is not None]
    if not found:
        return None
    values = [one for one, _ in found]
    intervals = [interval(run, name) for _, run in found]
    errors = [(high - low) / 2 / -float(ndtri(ALPHA / 2)) for low, high in filter(None, intervals)]
    clips = statistics.fmean(error * error for error in errors) if errors else 0.0
    spread = statistics.variance(values) / len(values) if len(values) > 1 else 0.0
    return Estimate(statistics.fmean(values), len(values), spread, clips)


def p_different(first: Estimate, second: Estimate) -> float:
    """Return the p-value of no difference, two-sided.

    The errors of both sides count as independent. On the same clips they are not, which makes the test cautious.
    """
    return 2 * _tail(abs(first.mean - second.mean), first, second)


def p_within(first: Estimate, second: Estimate, margin: float) -> float:
    """Return the p-value of a difference of `margin` or more: two one-sided tests (Schuirmann 1987)."""
    return _tail(margin - abs(first.mean - second.mean), first, second)


def p_beyond(first: Estimate, second: Estimate, margin: float) -> float:
    """Return the p-value of a difference of at most `margin`."""
    difference = abs(first.mean - second.mean)
    return min(1.0, _tail(difference - margin, first, second) + _tail(difference + margin, first, second))


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values, corrected for their number (Holm 1979).

    To call true what is then at most .05 is wrong anywhere in at most 5 % of cases.

    >>> holm([0.04, 0.01, 0.5])
    [0.08, 0.03, 0.5]
    """
    corrected, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected


def _tail(difference: float, *sides: Estimate) -> float:
    """Return how probable it is that errors alone make a difference that large; 1/2 if nothing is known of them."""
    if not _half(ALPHA, *sides):
        return 0.5
    if difference < 0:
        return 1 - _tail(-difference, *sides)
    if _half(_SMALLEST, *sides) < difference:
        return _SMALLEST
    return float(brentq(lambda level: _half(level, *sides) - difference, _SMALLEST, 0.5))


def _half(level: float, *sides: Estimate) -> float:
    """Return what an estimate, or the difference of two, exceeds the truth by with a probability of `level`."""
    clips, spread = sum(side.clips for side in sides), sum(side.spread for side in sides)
    half = ndtri(level) ** 2 * clips
    if spread:
        freedom = spread * spread / sum(side.spread * side.spread / (side.seeds - 1) for side in sides if side.spread)
        half += stdtrit(freedom, level) ** 2 * spread
    return math.sqrt(half)
