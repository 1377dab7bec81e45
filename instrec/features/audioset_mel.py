"""The mel bands that networks trained on AudioSet in the way of EfficientAT expect."""

from __future__ import annotations

import numpy as np

from instrec.features.log_mel import LogMel
from instrec.features.representation import FloatArray
from instrec.params import ClipParams, SpectrogramParams


class AudioSetMel(LogMel):
    """`LogMel` of the sound after pre-emphasis, with a symmetric Hann window in the middle of a Fourier transform of a
    power of two, and Kaldi's mel filters. Each power is at least the floor, which is added to it.

    At 32 kHz with a window of 800 samples, a hop of 320, 128 bands of 0..15,000 Hz and a floor of `floor_db` it is, up
    to its scale, EfficientAT's logarithm of power plus 0.00001 of the clip at another loudness: that at which the
    loudest band has 0.00001 times ten to the power of a tenth of `floor_db`. Frames that reach beyond the clip, two at
    each end, have silence there instead of the clip's mirror image.

    Source: Schmid, Koutini & Widmer, Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation
    (ICASSP 2023), and its code; Povey et al., The Kaldi speech recognition toolkit (ASRU 2011), `MelBanks`.
    """

    pre_emphasis = 0.97
    soft_floor = True

    def _window(self, length: int) -> FloatArray:
        points = 1 << (length - 1).bit_length()
        before = (points - length) // 2
        return np.pad(np.hanning(length), (before, points - length - before)).astype(np.float32)

    def _filters(self, clip: ClipParams, spectrogram: SpectrogramParams) -> FloatArray:
        low, high = (_mel(np.float64(hertz)) for hertz in (spectrogram.min_hz, spectrogram.max_hz))
        edges = np.linspace(low, high, spectrogram.mels + 2)[:, np.newaxis]
        bins = _mel(np.fft.rfftfreq(len(self.window), 1 / clip.sample_rate))
        sides = np.minimum(bins - edges[:-2], edges[2:] - bins) / (edges[1] - edges[0])
        bank: FloatArray = np.maximum(sides, 0).astype(np.float32)
        bank[:, -1] = 0  # Kaldi leaves out the highest bin
        return bank


def _mel(hertz: np.ndarray | np.float64) -> np.ndarray | np.float64:
    return 1127 * np.log1p(hertz / 700)
