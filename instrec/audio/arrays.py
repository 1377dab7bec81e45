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
    if y.ndim in (1, 2) and not y.size:
        raise UserError("value-invalid", f"sound of shape {y.shape}", "holds no samples; give at least one")
    samples, scale = _channels(y, "sound")
    if len(samples) > samples.shape[1]:
        raise _misshapen(y, "sound")
    for _, second in mixed([Frame(resampler.sample_rate, 0, samples, scale)]):
        yield resampler.add(second)
    yield resampler.end()


def mono(block: np.ndarray) -> Audio:
    """Return the mean over the channels of a block of live sound, float32; full scale is 1.

    Parameters
    ----------
    block : as the array of `blocks`, but of any length, none included.

    Raises
    ------
    UserError
        When it has another shape or type.
    """
    samples, scale = _channels(block, "block")
    mean: Audio = (samples.mean(axis=0) / scale).astype(np.float32)
    return mean


def _channels(y: np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """Return the samples with silence at zero [shape=(channels, samples)], and their full scale."""
    y = np.asarray(y)  # a masked array is none that soxr takes
    samples = np.atleast_2d(y.T)
    if y.ndim not in (1, 2) or not 1 <= len(samples) <= _MOST_CHANNELS:
        raise _misshapen(y, name)
    if y.dtype.kind not in "if" and y.dtype != np.uint8:
        raise UserError(
            "value-invalid", f"{name} of type {y.dtype}", "allowed are floating point, signed integers and uint8"
        )
    return centered(samples)


def _misshapen(y: np.ndarray, name: str) -> UserError:
    return UserError(
        "value-invalid", f"{name} of shape {y.shape}", "allowed is (samples,) or (samples, channels); transpose it?"
    )


class Resampler:
    """Brings mono sound to `target` Hz block by block."""

    def __init__(self, sample_rate: int | None, target: int) -> None:
        low, high = RATES
        if not (isinstance(sample_rate, int | float | np.number) and low <= sample_rate <= high):
            raise UserError(
                "value-out-of-range", f"sample_rate={sample_rate!r}", f"an array needs its own, {low} to {high} Hz"
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
