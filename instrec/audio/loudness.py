"""Loudness over time, and the level below which a file is silent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SILENCE_DBFS = -70.0
"""A window with a lower RMS level, or a cell of the timeline with a lower peak, is silent, unless the file is quiet."""

# In a quiet file silence lies that far under its loudest frame of the envelope (by RMS), but not under the dither of 16
# bits, whose RMS level is -96 dBFS and whose peak is -84. A file whose loudest frame is under the last is all silent.
_SILENCE_UNDER_LOUDEST_DB = 55.0
DITHER_RMS_DBFS, DITHER_PEAK_DBFS = -90.0, -80.0
_FAINTEST_DBFS = -75.0


def silence(loudest: float, dither_dbfs: float) -> float:
    """Return the level below which a file is silent, 0..1; infinite if all of it is silent.

    Parameters
    ----------
    loudest : RMS level of the loudest 10 ms of the file, 0..1.
    dither_dbfs : lower limit of the result.
    """
    loudest_dbfs = 20 * float(np.log10(max(loudest, 1e-10)))
    if loudest_dbfs < _FAINTEST_DBFS:
        return float("inf")
    dbfs = min(SILENCE_DBFS, max(dither_dbfs, loudest_dbfs - _SILENCE_UNDER_LOUDEST_DB))
    return float(10 ** (dbfs / 20))


def rms(y: NDArray[np.floating[Any]]) -> float:
    """Return the root mean square of samples, in doubles; 0 without any."""
    return float(np.sqrt(np.mean(np.square(y, dtype=np.float64)))) if len(y) else 0.0


class Envelope:
    """Measures a stream of blocks of any length: one peak per `frame` samples, and the loudest frame.

    The level of a frame is its RMS around its mean, as an offset and slow movements make no sound.
    """

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self.total = 0
        self.loudest = 0.0
        self._parts: list[np.ndarray] = []
        self._rest = np.zeros(0, np.float32)

    def add(self, block: np.ndarray) -> None:
        self.total += len(block)
        self._rest = np.concatenate([self._rest, block])
        whole = len(self._rest) // self.frame * self.frame
        self._measure(self._rest[:whole].reshape(-1, self.frame))
        self._rest = self._rest[whole:]

    def peaks(self) -> np.ndarray:
        """Return the peaks at the end of the stream."""
        if len(self._rest):
            self._measure(self._rest[np.newaxis])
        return np.concatenate(self._parts)

    def _measure(self, frames: np.ndarray) -> None:
        self._parts.append(np.abs(frames).max(axis=1))
        powers = np.einsum("ij,ij->i", frames, frames) / self.frame - np.square(frames.sum(axis=1) / self.frame)
        self.loudest = max(self.loudest, float(np.sqrt(powers.max(initial=0.0))))
