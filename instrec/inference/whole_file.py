"""Which instruments a whole file holds, out of those that sound at some moment of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MIN_SHARE = 0.05
"""Of the time in which anything sounds, behind the first window; from benchmarks/medleys.py."""
MIN_ODDS = 4.0
"""Times the odds of the threshold, reached somewhere in a file of two windows or more; from benchmarks/medleys.py."""


@dataclass(frozen=True)
class Sounding:
    """One instrument of a file.

    Attributes
    ----------
    probability : how sure the model is at its surest, 0..1.
    segments : (start, end) in seconds of each stretch in which it sounds.
    share : of the time in which anything sounds, how much of it has the instrument, 0..1.
    """

    name: str
    probability: float
    segments: tuple[tuple[float, float], ...]
    share: float


def decided(
    found: Iterable[Sounding], *, thresholds: Mapping[str, float], seconds: float, window_seconds: float
) -> tuple[tuple[Sounding, ...], tuple[Sounding, ...]]:
    """Tell the instruments that count from those that are doubtful in a file of that length.

    The longer a file, the more moments at which a model may err, so that at last every class has one. An instrument
    must therefore sound for a share of the time behind the first window, and be surer somewhere than its threshold
    asks. A file of one window has nothing behind it. Rests count for nothing, so that silence before or after a piece
    changes no answer.

    Parameters
    ----------
    thresholds : by class; one that is missing asks for nothing more.
    seconds : in which anything sounds.
    window_seconds : what the model sees at once.

    Returns
    -------
    instruments, doubtful : those that sound longest first; of those that sound equally long, the surest.
    """
    ranked = sorted(found, key=lambda each: (-each.share, -each.probability))
    behind = max(0.0, seconds - window_seconds)
    odds = 1 + (MIN_ODDS - 1) * min(1.0, behind / window_seconds)
    counts = [
        each.share * seconds >= MIN_SHARE * behind and each.probability >= raised(thresholds.get(each.name, 0.0), odds)
        for each in ranked
    ]
    return (
        tuple(each for each, main in zip(ranked, counts, strict=True) if main),
        tuple(each for each, main in zip(ranked, counts, strict=True) if not main),
    )


def raised(probability: float, times: float) -> float:
    """Return the probability whose odds are so many times those of another.

    Examples
    --------
    >>> raised(0.5, 4.0)
    0.8
    """
    return times * probability / (1 + (times - 1) * probability)
