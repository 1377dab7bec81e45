"""Sound that a program holds as an array, or gets block by block, as mono float32 at one sample rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from instrec.audio.downmix import Audio, Frame, centered, mixed
from instrec.audio.packets import RATES
from instrec.errors import UserError

_MOST_CHANNELS = 256


def blocks(y: np.ndarray, sample_rate: int | None, target: int) -> Iterator[Audio]:
    """Mix an array down and resample it to `target` Hz, a second at a time.

    Parameters
    ----------
    y : np.ndarray [shape=(samples,) or (samples, channels)], as soundfile reads it: floating point in -1..1, or
        integers whose range is full scale.
    sample_rate : of `y`, in Hz.

    Raises
    ------
    UserError
        When there is no sample, its shape or rate is out of range, or a sample is no number.
    """
    resampler = Resampler(sample_rate, target)
    samples = np.atleast_2d(y.T)
    if y.ndim not in (1, 2) or not y.size or len(samples) > min(_MOST_CHANNELS, max(samples.shape[1], 1)):
        raise UserError(
            "value-invalid", f"sound of shape {y.shape}", "allowed is (samples,) or (samples, channels); transpose it?"
        )
    if y.dtype.kind not in "if" and y.dtype != np.uint8:
        raise UserError(
            "value-invalid", f"sound of type {y.dtype}", "allowed are floating point, signed integers and uint8"
        )
    for _, second in mixed([Frame(resampler.sample_rate, 0, *centered(samples))]):
        yield resampler.add(second)
    yield resampler.end()


class Resampler:
    """Brings mono sound to `target` Hz block by block."""

    def __init__(self, sample_rate: int | None, target: int) -> None:
        low, high = RATES
        if sample_rate is None or not low <= sample_rate <= high:
            raise UserError(
                "value-out-of-range", f"sample_rate={sample_rate}", f"an array needs its own, {low} to {high} Hz"
            )
        self.sample_rate = round(sample_rate)
        self._stream = None
        if self.sample_rate != target:
            self._stream = soxr.ResampleStream(self.sample_rate, target, 1, dtype="float32")

    def add(self, y: Audio) -> Audio:
        """Resample a block; what is beyond full scale is clipped.

        Raises
        ------
        UserError
            When a sample is no number.
        """
        if not np.isfinite(y).all():
            raise UserError("audio-not-finite", "sound", "holds samples that are not numbers (NaN or infinite)")
        return self._given(y, last=False)

    def end(self) -> Audio:
        """Return what the filter still holds."""
        return self._given(np.zeros(0, np.float32), last=True)

    def _given(self, y: Audio, *, last: bool) -> Audio:
        given = self._stream.resample_chunk(y, last=last) if self._stream else y
        return np.clip(given, -1.0, 1.0).astype(np.float32, copy=False)
