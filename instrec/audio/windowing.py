"""Cut audio into windows, and find the onsets of clips: at a fixed hop, or one at the steepest rise of power.

Signals are read piece by piece, with about one clip in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec.audio import decoding
from instrec.audio.loudness import DITHER_RMS_DBFS, rms
from instrec.params import ClipParams, SelectionParams

Signal = NDArray[np.floating[Any]]

PEAK = 0.89
"""-1 dBFS: the peak of every clip, so that 16 bits also hold quiet ones."""

RISE_SECONDS = 0.01
"""Length of the mean power: longer than half a period of all but the lowest notes, so that it does not ripple."""


def starts(path: Path, clip: ClipParams, selection: SelectionParams, *, hop_share: float) -> Iterator[float]:
    """Return the onsets of clips that are not silent, in seconds.

    Silence is measured relative to the peak of the recording, which stands for `PEAK`.

    Parameters
    ----------
    hop_share : distance of clips, as a share of their length, if `selection.start` is `hop`.

    Raises
    ------
    UserError
        As in `decoding.blocks`.
    """
    rate, peak = clip.sample_rate, _Peak()
    if selection.start == "onset":
        onset = steepest_rise(peak.of(decoding.blocks(path, rate)), rate) / rate
        found: Iterable[tuple[float, Signal]] = [(onset, decoding.load(path, rate, onset=onset, seconds=clip.seconds))]
    else:
        pieces = peak.of(decoding.blocks(path, rate, block_seconds=clip.seconds))
        found = ((start / rate, y) for start, y in windows(pieces, clip.samples, hop_samples(clip, hop_share)))
    levels = [(onset, _dbfs(y)) for onset, y in found]  # the peak is known at the end
    bound = max(DITHER_RMS_DBFS, selection.silence_dbfs + 20 * float(np.log10(max(peak.height, 1e-10) / PEAK)))
    yield from (onset for onset, level in levels if level >= bound)


def hop_samples(clip: ClipParams, hop_share: float) -> int:
    """Return the distance of two clips in samples, at least 1."""
    return max(1, round(hop_share * clip.samples))


def windows(pieces: Iterable[Signal], size: int, hop: int) -> Iterator[tuple[int, Signal]]:
    """Cut a signal into windows, one every `hop` samples.

    Parameters
    ----------
    pieces : the signal, cut anyhow.
    size, hop : samples in a window, and from one window to the next; `hop` is not above `size`.

    Yields
    ------
    start : of the window, in samples.
    y : np.ndarray [shape=(size,)]; the last one may be shorter. It is left out if it has less than half a hop of new
        samples, unless it is the only one.

    Examples
    --------
    >>> [(start, y.tolist()) for start, y in windows([np.arange(3.0), np.arange(3.0, 8.0)], size=4, hop=2)]
    [(0, [0.0, 1.0, 2.0, 3.0]), (2, [2.0, 3.0, 4.0, 5.0]), (4, [4.0, 5.0, 6.0, 7.0])]
    """
    start, held = -hop, np.zeros(hop, np.float32)  # as if a window had been taken one hop before the start
    for piece in pieces:
        held = np.concatenate([held, piece])
        while len(held) >= hop + size:
            start, held = start + hop, held[hop:]
            yield start, held[:size]
    needed = hop + 1 if start < 0 else size + max(1, hop // 2)
    if len(held) >= needed:
        yield start + hop, held[hop:]


def is_silent(y: Signal, silence_dbfs: float) -> bool:
    """Return whether the RMS level is below a limit in dBFS.

    >>> is_silent(np.full(100, 0.001, np.float32), silence_dbfs=-50.0)
    True
    """
    return _dbfs(y) < silence_dbfs


def _dbfs(y: Signal) -> float:
    return 20 * float(np.log10(max(rms(y), 1e-10)))


class _Peak:
    """Passes a signal through, and keeps its highest magnitude."""

    def __init__(self) -> None:
        self.height = 0.0

    def of(self, pieces: Iterable[Signal]) -> Iterator[Signal]:
        for piece in pieces:
            self.height = max(self.height, float(np.abs(piece).max(initial=0.0)))
            yield piece


def steepest_rise(pieces: Iterable[Signal], sample_rate: int) -> int:
    """Return the first sample with the largest derivative of power (Yun and Bi).

    The derivative is the mean power of `RISE_SECONDS` after a sample, less that before it. Before the signal there is
    silence, so a signal that starts with an attack has its onset there.

    Parameters
    ----------
    pieces : the signal, in pieces of any length.
    sample_rate : in Hz.

    Returns
    -------
    int
        Index of a sample; 0 if all is silent.
    """
    width = max(1, round(RISE_SECONDS * sample_rate))
    held = np.zeros(width)  # power from `width` before the next candidate on
    best, steepest, candidate = 0, 0.0, 0
    for piece in chain(pieces, [np.zeros(width)]):
        held = np.concatenate([held, np.square(piece, dtype=np.float64)])
        if len(held) < 2 * width:
            continue
        total = np.concatenate([[0.0], np.cumsum(held)])
        rise = total[2 * width :] - 2 * total[width:-width] + total[: -2 * width]
        place = int(rise.argmax())
        if rise[place] > steepest:
            best, steepest = candidate + place, float(rise[place])
        candidate += len(rise)
        held = held[len(rise) :]
    return best
