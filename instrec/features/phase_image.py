"""Amplitude, phase and change of phase as the three channels of an image."""

from __future__ import annotations

import numpy as np

from instrec.errors import conflict
from instrec.features.image import required_pixels, resized
from instrec.features.representation import FloatArray, Representation
from instrec.features.spectrum import check_band, check_whole, loudness, power_of, silent, transformed
from instrec.params import ClipParams, SpectrogramParams

_FRAMES = 256


class PhaseImage(Representation):
    """256 Fourier transforms of `window` points through a Hamming window, `min_hz`..`max_hz` on a linear axis.

    They are spread evenly over the clip, so `hop` and `mels` are not used. The image has `pixels` x `pixels`, with
    frames down and frequencies across. Its channels are

    - the logarithm of the amplitude, scaled by `scale` and `floor_db` as in `LogMel`;
    - the phase, -pi..pi scaled to 0..1;
    - the change of phase from the frame before, in the shorter direction: -pi..pi scaled to 0..1. The first frame has
      the value of the second.

    Below the floor of the amplitude, phase is meaningless, and all three channels are 0. The amplitude is resized by
    linear interpolation. Phases are circular and have no mean, so they use the nearest point.

    Source: Sethi, Unlimited synthesis for instrument recognition (2018), except for the scaling.
    """

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        check_band(clip, spectrogram)
        check_whole(spectrogram)
        pixels = required_pixels(spectrogram)
        super().__init__(clip.samples, (pixels, pixels, 3))
        self._params = spectrogram
        self._hop, left = divmod(clip.samples - spectrogram.window, _FRAMES - 1)
        self._first = left // 2
        if self._hop < 1:
            raise conflict(
                "spectrogram.window",
                f"{spectrogram.window} samples, but {_FRAMES} windows, each a sample "
                f"or more after the last, do not fit into a clip of {clip.samples}; lower it, or raise clip.seconds or "
                "clip.sample_rate",
            )
        self._window = np.hamming(spectrogram.window + 1)[:-1].astype(np.float32)
        hertz = np.fft.rfftfreq(spectrogram.window, 1 / clip.sample_rate)
        self._bins = np.flatnonzero((hertz >= spectrogram.min_hz) & (hertz <= spectrogram.max_hz))
        if not len(self._bins):
            raise conflict(
                "spectrogram.window",
                f"{spectrogram.window} samples resolve nothing between "
                f"{spectrogram.min_hz:g} and {spectrogram.max_hz:g} Hz; raise it, or spread min_hz and max_hz",
            )

    def _transform(self, y: FloatArray) -> FloatArray:
        last = self._first + (_FRAMES - 1) * self._hop
        y = y[self._first : last + len(self._window)]
        spectrum = transformed(y, self._window, self._hop)[self._bins].T
        power = power_of(spectrum)
        if silent(power):
            return np.zeros(self.shape, dtype=np.float32)
        turned = spectrum[1:] * spectrum[:-1].conj()
        amplitude = loudness(power, power, self._params)
        channels = [resized(amplitude, self.shape[0])]
        for circle in (np.angle(spectrum), np.angle(np.concatenate([turned[:1], turned]))):
            phase = (circle / np.float32(2 * np.pi) + np.float32(0.5)) * (amplitude > 0)
            channels.append(resized(phase, self.shape[0], order=0))
        return np.stack(channels, axis=-1)
