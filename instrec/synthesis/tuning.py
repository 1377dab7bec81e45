"""Tunings other than the equal temperament: scales of maqam and of gamelan, to which scores are bent.

A tuning maps each of the 128 MIDI pitches to the nearest degree of a scale. Intonation differs from region to region,
and from one gamelan to the next: these are usual values.

Sources: Touma, The Music of the Arabs (1996), for the neutral intervals of maqamat as quarter tones; Surjodiningrat et
al., Tone Measurements of Outstanding Javanese Gamelans (1972), whose means are rounded to 5 cents here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

OCTAVE_CENTS = 1200.0

TUNINGS: dict[str, tuple[float, ...]] = {
    "rast": (0, 200, 350, 500, 700, 900, 1050),
    "bayati": (0, 150, 300, 500, 700, 800, 1000),
    "saba": (0, 150, 300, 400, 700, 800, 1000),
    "sikah": (0, 150, 350, 550, 700, 850, 1050),
    "slendro": (0, 230, 475, 715, 955),
    "pelog": (0, 120, 260, 540, 675, 785, 940),
}
"""Scale -> its degrees in cents over the tonic."""

Tuning = tuple[str, int]
"""A scale of TUNINGS and the pitch class of its tonic, 0 for C."""


def cents(tuning: Tuning) -> npt.NDArray[np.float64]:
    """Return what each MIDI pitch sounds like [shape=(128,)], in cents over MIDI pitch 0.

    >>> cents(("rast", 0))[60:66].tolist()
    [6000.0, 6000.0, 6200.0, 6350.0, 6350.0, 6500.0]
    """
    scale, tonic = tuning
    octaves = np.arange(-1, 12) * OCTAVE_CENTS + tonic * 100
    degrees = (octaves[:, None] + np.array(TUNINGS[scale])).ravel()
    equal = np.arange(128) * 100.0
    nearest: npt.NDArray[np.float64] = degrees[np.abs(equal[:, None] - degrees).argmin(axis=1)]
    return nearest


def draw(rng: np.random.Generator) -> Tuning:
    """Draw a scale and its tonic."""
    return sorted(TUNINGS)[rng.integers(len(TUNINGS))], int(rng.integers(12))
