"""Shared by the representations: a Fourier transform in frames, its range, and loudness as 0..1."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from instrec.errors import conflict
from instrec.features.representation import FloatArray
from instrec.params import ClipParams, SpectrogramParams

SILENCE = 1e-10  # power; librosa.power_to_db's own floor


def transformed(y: FloatArray, window: FloatArray, hop: int) -> NDArray[np.complex64]:
    """Return the spectrum [shape=(bins, frames)] of y, with a frame every `hop` samples as long as it fits."""
    frames = sliding_window_view(y, len(window))[::hop]
    spectrum: NDArray[np.complex64] = scipy.fft.rfft((frames * window).T, axis=0)
    return spectrum


def power_of(spectrum: NDArray[np.complex64]) -> FloatArray:
    """Return the power, without the square root of a magnitude."""
    return np.square(spectrum.real) + np.square(spectrum.imag)


def silent(power: FloatArray) -> bool:
    """Return whether all power is below librosa's floor."""
    return bool(power.max() <= SILENCE)


def loudness(power: FloatArray, whole: FloatArray, spectrogram: SpectrogramParams) -> FloatArray:
    """Scale power to 0..1 on a logarithmic axis.

    1 is the loudest point of `whole`, the clip that has the part `power`. 0 is `floor_db` below it. With `scale: log`,
    0 is the softest point of `whole`, if that is louder. So the axis is the range of the clip, and the base of the
    logarithm cancels out.
    """
    loudest, depth_db = whole.max(), spectrogram.floor_db
    if spectrogram.scale == "log" and (softest := whole.min() / loudest) > 0:
        depth_db = min(depth_db, -10.0 * float(np.log10(softest)))
    if depth_db <= 0:  # as loud everywhere: there is nothing to see
        return np.zeros_like(power)
    floor = np.float32(10.0 ** (-depth_db / 10.0))
    decibels = 10.0 * np.log10(np.maximum(power / loudest, floor))
    scaled: FloatArray = np.clip(1.0 + decibels / np.float32(depth_db), 0.0, 1.0)
    return scaled


def check_band(clip: ClipParams, spectrogram: SpectrogramParams) -> None:
    """Check that the clip has the range of frequencies.

    Raises
    ------
    UserError
        If `spectrogram.min_hz` or `spectrogram.max_hz` is out of range.
    """
    nyquist, low, high = clip.sample_rate / 2, spectrogram.min_hz, spectrogram.max_hz
    if high > nyquist:
        raise conflict(
            "spectrogram.max_hz",
            f"{high:g} is above {nyquist:g}, half of clip.sample_rate; lower it, or raise clip.sample_rate",
        )
    if low >= high:
        raise conflict("spectrogram.min_hz", f"{low:g} must lie under max_hz, {high:g}")


def check_whole(spectrogram: SpectrogramParams) -> None:
    """Check that features of the whole clip are wanted: all of its sound, all of its frames.

    Raises
    ------
    UserError
        If `spectrogram.part` or `spectrogram.frames` has another value.
    """
    for key, value, asked in (("part", spectrogram.part, "whole"), ("frames", spectrogram.frames, 0)):
        if value != asked:
            raise conflict(f"spectrogram.{key}", f"{value}, but {spectrogram.name} knows only {asked}")
