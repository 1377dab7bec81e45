"""Where clips start in sound that is longer than a clip: at a fixed hop, or once, at the steepest rise of power.

Both read a signal piece by piece and hold about a clip of it, however long it is.
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
"""-1 dBFS. Every clip is brought there, so that 16 bits hold the quiet ones as well."""

RISE_SECONDS = 0.01
"""Power is measured over so much; longer than half a period of all but the lowest notes, so that it does not ripple."""


def starts(path: Path, clip: ClipParams, selection: SelectionParams, *, hop_share: float) -> Iterator[float]:
    """Return where the clips of a recording start, in seconds; none of them is silent.

    Silence is measured as if the recording's peak were brought to `PEAK`, as that of scores and clips is.

    Parameters
    ----------
    hop_share : from one clip to the next, as a share of a clip, where `selection.start` is `hop`.

    Raises
    ------
    UserError
        As `audio.blocks` does.
    """
    rate, peak = clip.sample_rate, _Peak()
    if selection.start == "onset":
        onset = steepest_rise(peak.of(decoding.blocks(path, rate)), rate) / rate
        found: Iterable[tuple[float, Signal]] = [(onset, decoding.load(path, rate, onset=onset, seconds=clip.seconds))]
    else:
        pieces = peak.of(decoding.blocks(path, rate, block_seconds=clip.seconds))
        found = ((start / rate, y) for start, y in windows(pieces, clip.samples, hop_samples(clip, hop_share)))
    levels = [(onset, _dbfs(y)) for onset, y in found]  # the peak is known once all was heard
    bound = max(DITHER_RMS_DBFS, selection.silence_dbfs + 20 * float(np.log10(max(peak.height, 1e-10) / PEAK)))
    yield from (onset for onset, level in levels if level >= bound)


def hop_samples(clip: ClipParams, hop_share: float) -> int:
    """Return how many samples lie between the starts of two clips, 1 at least."""
    return max(1, round(hop_share * clip.samples))


def windows(
    pieces: Iterable[Signal], size: int, hop: int, *, ends_with_signal: bool = False
) -> Iterator[tuple[int, Signal]]:
    """Cut a signal into windows, one every `hop` samples.

    Parameters
    ----------
    pieces : the signal, cut anyhow.
    size, hop : samples in a window, and from one window to the next; `hop` is not above `size`.
    ends_with_signal : whether the last window is moved forward to end where the signal ends.

    Yields
    ------
    start : of the window, in samples.
    y : np.ndarray [shape=(size,)]; shorter where all of the signal is. Without `ends_with_signal` the last one may be
        shorter, too. It is left out where it brings less than half a hop that is new, unless it is the only one.
    """
    start, held = -hop, np.zeros(hop, np.float32)  # as if a window had been taken one hop before the start
    for piece in pieces:
        held = np.concatenate([held, piece])
        while len(held) >= hop + size:
            start, held = start + hop, held[hop:]
            yield start, held[:size]
    new = len(held) - size
    if start < 0 < start + len(held):
        yield 0, held[hop:]
    elif start >= 0 and ends_with_signal and new > 0:
        yield start + new, held[-size:]
    elif start >= 0 and not ends_with_signal and new >= max(1, hop // 2):
        yield start + hop, held[hop:]


def is_silent(y: Signal, silence_dbfs: float) -> bool:
    """Return whether the RMS level is under a bound, in dB under full scale."""
    return _dbfs(y) < silence_dbfs


def _dbfs(y: Signal) -> float:
    return 20 * float(np.log10(max(rms(y), 1e-10)))


class _Peak:
    """The highest magnitude of a signal that passes through."""

    def __init__(self) -> None:
        self.height = 0.0

    def of(self, pieces: Iterable[Signal]) -> Iterator[Signal]:
        for piece in pieces:
            self.height = max(self.height, float(np.abs(piece).max(initial=0.0)))
            yield piece


def steepest_rise(pieces: Iterable[Signal], sample_rate: int) -> int:
    """Find where the derivative of a signal's power is largest (Yun and Bi), the first such place.

    The derivative is that of the mean power of `RISE_SECONDS`: how much more of it comes after a sample than before.
    Before the signal there is silence, so what begins with its attack is found to begin there.

    Parameters
    ----------
    pieces : the signal, cut anyhow.
    sample_rate : in Hz.

    Returns
    -------
    int
        A sample of the signal; 0 where all is silent.
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
