"""The samples of a clip, without any transform."""

from __future__ import annotations

import numpy as np

from instrec.features.representation import FloatArray, Representation
from instrec.features.spectrum import SILENCE, check_whole
from instrec.params import ClipParams, SpectrogramParams


class Waveform(Representation):
    """Each sample relative to the largest of the clip: -1..1 scaled to 0..1. A frame is a sample, of one bin.

    Loudness cancels out. A clip whose largest sample has no more power than librosa's floor is silent. In any other
    clip, silence is .5. `window`, `hop`, `mels`, `scale` and the range of frequencies are not used.
    """

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        check_whole(spectrogram)
        super().__init__(clip.samples, (clip.samples, 1, 1))

    def _transform(self, y: FloatArray) -> FloatArray:
        peak = np.abs(y).max()
        if peak <= np.sqrt(SILENCE):
            return np.zeros(self.shape, dtype=np.float32)
        scaled: FloatArray = np.float32(0.5) + np.float32(0.5) * (y / peak)
        return scaled.reshape(self.shape)
