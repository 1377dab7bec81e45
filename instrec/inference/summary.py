"""Which instruments a whole file holds, out of those that sound at some moment of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MIN_SHARE = 0.05
"""Of the time in which anything sounds, behind the first window; from benchmarks/medleys.py."""


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
    found: Iterable[Sounding], *, seconds: float, window_seconds: float
) -> tuple[tuple[Sounding, ...], tuple[Sounding, ...]]:
    """Tell the instruments that count from those that sound too briefly for the length of the file.

    The longer a file, the more moments at which a model may err, so that at last every class has one. An instrument
    must therefore sound for a share of the time behind the first window. A file of one window has nothing behind it.
    Rests count for nothing, so that silence before or after a piece changes no answer.

    Parameters
    ----------
    seconds : in which anything sounds.
    window_seconds : what the model sees at once.

    Returns
    -------
    instruments, brief : those that sound longest first; of those that sound equally long, the surest.
    """
    ranked = sorted(found, key=lambda each: (-each.share, -each.probability))
    least = MIN_SHARE * max(0.0, seconds - window_seconds)
    counts = [each.share * seconds >= least for each in ranked]
    return (
        tuple(each for each, main in zip(ranked, counts, strict=True) if main),
        tuple(each for each, main in zip(ranked, counts, strict=True) if not main),
    )
