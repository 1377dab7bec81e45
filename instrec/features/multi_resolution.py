"""A stack of mel spectrograms with increasing resolution in frequency, and decreasing resolution in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instrec.features.log_mel import LogMel
from instrec.features.representation import FloatArray, Representation
from instrec.params import ClipParams, SpectrogramParams

_WINDOWS = (1, 2, 4)  # times `window`


class MultiResolution(Representation):
    """`LogMel` with windows 1, 2 and 4 times as long, with the same hop and bands, stacked as channels.

    If `part` is a pair, its two channels stay next to each other: resolutions are the outer order.

    Source: the multi-resolution input of Gomez, Abesser & Cano (ISMIR 2018).
    """

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        finest = LogMel(clip, spectrogram)
        frames, bins, parts = finest.shape
        super().__init__(clip.samples, (frames, bins, parts * len(_WINDOWS)), finest.sound[1:])
        # A window of an odd length may have one frame less than those twice and four times as long.
        self.resolutions = [
            LogMel(clip, replace(spectrogram, window=spectrogram.window * times, frames=frames)) for times in _WINDOWS
        ]

    def _transform(self, y: FloatArray) -> FloatArray:
        return np.concatenate([resolution(y) for resolution in self.resolutions], axis=-1)
