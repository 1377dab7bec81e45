"""Mix channels to mono: their mean, or, if channels cancel each other, a mean with aligned signs.

Each second of the file has its own weights, with a fade from those of the second before. So a part of a file is mixed
as in the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

_KEPT, _LOST = 0.15, 0.08  # power of the sum by the sum of powers: 1 for channels that have nothing in common
_FADE_SECONDS = 0.02


class Frame(NamedTuple):
    """A decoded frame: samples of any type [shape=(channels, samples)]; full scale is `scale`."""

    rate: int
    position: int
    samples: NDArray[np.generic]
    scale: float


def centered(samples: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return samples with silence at zero, and their full scale; unsigned ones are bytes, as in WAV files."""
    if samples.dtype.kind == "u":
        return samples.astype(np.float32) - 128, 128.0
    return samples, 2.0 ** (8 * samples.dtype.itemsize - 1) if samples.dtype.kind == "i" else 1.0


def mixed(frames: Iterable[Frame]) -> Iterator[tuple[int, Audio]]:
    """Mix frames to mono, one second at a time.

    Parameters
    ----------
    frames : consecutive, the first at any `position`, in samples from the start of the file.

    Yields
    ------
    rate : in Hz.
    y : np.ndarray [shape=(samples,)], float32; full scale is 1.
    """
    for (rate, channels, scale), stretch in groupby(
        frames, key=lambda each: (each.rate, len(each.samples), each.scale)
    ):
        plain = np.full(channels, 1 / (channels * scale), dtype=np.float32)
        before: Audio | None = None
        for second in _seconds(stretch, rate):
            # A product with equal weights takes an eighth of the time of a mean over so short an axis.
            y: Audio = plain @ second
            weights = _weights(plain, second, y)
            before = weights if before is None else before
            if weights is not plain or before is not plain:
                y = _faded(before, weights, second, round(_FADE_SECONDS * rate))
            before = weights
            yield rate, y


def _seconds(frames: Iterable[Frame], rate: int) -> Iterator[Audio]:
    """Join frames, and cut them at whole seconds."""
    held: list[NDArray[np.generic]] = []
    for frame in frames:
        start, samples = frame.position, frame.samples
        while (left := rate - start % rate) <= samples.shape[1]:
            yield np.concatenate([*held, samples[:, :left]], axis=1).astype(np.float32, copy=False)
            start, samples, held = start + left, samples[:, left:], []
        if samples.shape[1]:
            held.append(samples)
    if held:
        yield np.concatenate(held, axis=1).astype(np.float32, copy=False)


def _weights(plain: Audio, second: Audio, y: Audio) -> Audio:
    """Return the weights of the channels [shape=(channels,)] in a second: `plain`, unless they cancel each other.

    In that case, channels in opposite phase to the loudest one change their sign. The transition is smooth, so that
    rounding does not decide. The first channel keeps its sign.

    Parameters
    ----------
    plain : weights of the mean.
    second : np.ndarray [shape=(channels, samples)].
    y : np.ndarray [shape=(samples,)], `plain @ second`.
    """
    if len(plain) == 1:
        return plain
    samples, flat = len(y), second.ravel(order="K")
    offset = second @ np.ones(samples, np.float32) / samples
    total = float(flat @ flat) / samples - float(offset @ offset)
    if not 0 < total < np.inf:
        return plain
    kept = (float(y @ y) / samples - float(plain @ offset) ** 2) / float(plain[0]) ** 2 / total
    share = min(1.0, (_KEPT - kept) / (_KEPT - _LOST))
    if share <= 0:
        return plain
    power = second @ second.T / samples - np.outer(offset, offset)
    signs = np.where(power[power.diagonal().argmax()] < 0, -1, 1)
    weights: Audio = (plain * (1 + share * (signs * signs[0] - 1))).astype(np.float32)
    return weights


def _faded(before: Audio, weights: Audio, second: Audio, fade: int) -> Audio:
    ramp = np.minimum(np.arange(1, second.shape[1] + 1, dtype=np.float32) / np.float32(fade), 1)
    y: Audio = (before @ second) * (1 - ramp) + (weights @ second) * ramp
    return y
