"""Decode any audio file to mono float32 at one sample rate, in bounded memory.

`packets` decodes, and soxr resamples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import soxr

from instrec.audio.downmix import Audio
from instrec.audio.packets import Facts, decoded, undecodable

__all__ = ["SUFFIXES", "Audio", "Facts", "blocks", "length_and_peak", "load"]

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("wav", "wave", "w64", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc"),
        *("m4a", "mp4", "aac", "wma", "webm", "mka", "au", "caf", "wv"),
    )
)
"""File name endings, in lower case, of the audio files in a folder."""

_PREROLL_SECONDS = 1  # decoded before an onset: the resampler's filter needs a past


def blocks(
    path: Path | str,
    sample_rate: int,
    *,
    block_seconds: float = 30.0,
    track: int | None = None,
    facts: Facts | None = None,
) -> Iterator[Audio]:
    """Decode a file block by block, in bounded memory.

    Parameters
    ----------
    path : a file in a format of `SUFFIXES`, whatever its ending.
    sample_rate : of the result, in Hz.
    block_seconds : length of every block but the last, which is shorter and never empty.
    track : number of the audio track, from 1; by default, the default track, or the first that is not silent.
    facts : filled with facts about the file.

    Yields
    ------
    y : np.ndarray [shape=(samples,)], float32 in -1..1: the mean of all channels, resampled; if they cancel each other,
        see `downmix`. Samples beyond full scale are clipped.

    Raises
    ------
    UserError
        If the file is missing, a folder, empty, not audio, without a decodable sample or that track; if it cannot be
        read to its end, has samples that are not numbers, or has a rate or length out of range. Damaged stretches
        inside a file are left out.
    """
    return cut(_stream(Path(path), sample_rate, 0, track, facts), max(1, round(block_seconds * sample_rate)))


def cut(pieces: Iterable[Audio], size: int) -> Iterator[Audio]:
    """Cut a signal in pieces of any length into blocks of `size` samples; the last is shorter and never empty."""
    held: list[Audio] = []
    count = 0
    for y in pieces:
        held.append(y)
        count += len(y)
        if count >= size:
            whole = np.concatenate(held)
            for start in range(0, count - size + 1, size):
                yield whole[start : start + size]
            held = [whole[count - count % size :].copy()]
            count %= size
    if count:
        yield np.concatenate(held)


def load(path: Path | str, sample_rate: int, *, onset: float = 0.0, seconds: float | None = None) -> Audio:
    """Decode a file, or a part of it.

    Parameters
    ----------
    path : a file in a format of `SUFFIXES`, whatever its ending.
    sample_rate : of the result, in Hz.
    onset : start in seconds.
    seconds : length; None for the rest of the file.

    Returns
    -------
    y : np.ndarray [shape=(samples,)], float32 in -1..1, as from `blocks`; shorter, or empty, at the end.

    Raises
    ------
    UserError
        As in `blocks`.
    """
    start = max(0, int(onset) - _PREROLL_SECONDS)
    first = round((onset - start) * sample_rate)
    last = None if seconds is None else first + round(seconds * sample_rate)
    held: list[Audio] = []
    count = 0
    for y in _stream(Path(path), sample_rate, start):
        held.append(y)
        count += len(y)
        if last is not None and count >= last:
            break
    return np.concatenate(held)[first:last] if held else np.zeros(0, dtype=np.float32)


def length_and_peak(path: Path | str) -> tuple[float, float]:
    """Decode a file, and return its length in seconds and its peak; see `blocks` for errors."""
    lengths: Counter[int] = Counter()
    peak = 0.0
    for rate, y in decoded(Path(path), 0):
        lengths[rate] += len(y)
        peak = max(peak, float(np.abs(y).max(initial=0.0)))
    if not lengths.total():
        raise undecodable(path)
    return sum(samples / rate for rate, samples in lengths.items()), peak


def _stream(
    path: Path, sample_rate: int, start: int, track: int | None = None, facts: Facts | None = None
) -> Iterator[Audio]:
    """Return the mono, resampled signal from `start` on, in pieces of about a second.

    `start` is a whole second, where the sample grids of any two rates meet. So a part of a file has the same samples as
    in the whole file.
    """
    empty = True
    # A rate may change within a file (chained Ogg streams): each stretch has its own resampler.
    pieces = decoded(path, start, track=track, facts=facts)
    for rate, stretch in groupby(pieces, key=lambda item: item[0]):
        for y in _resampled((piece for _, piece in stretch), rate, sample_rate):
            empty = False
            yield np.clip(y, -1.0, 1.0, out=y)
    if empty and start == 0:
        raise undecodable(path)


def _resampled(pieces: Iterable[Audio], rate: int, sample_rate: int) -> Iterator[Audio]:
    resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32") if rate != sample_rate else None
    for piece in pieces:
        y = resampler.resample_chunk(piece) if resampler else piece
        if len(y):
            yield y
    if resampler:
        y = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        if len(y):
            yield y
