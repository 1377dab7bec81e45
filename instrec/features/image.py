"""A mel spectrogram as the kind of image that networks trained on photographs expect."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom

from instrec.errors import conflict
from instrec.features.log_mel import LogMel
from instrec.features.representation import FloatArray, Representation
from instrec.params import ClipParams, SpectrogramParams

_COLOURS = 3


class Image(Representation):
    """`LogMel` resized to `pixels` x `pixels` by linear interpolation, frames down and bands across, three times."""

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        pixels = required_pixels(spectrogram)
        self._log_mel = LogMel(clip, spectrogram)
        if self._log_mel.shape[2] > 1:
            raise conflict(
                "spectrogram.part",
                f"{spectrogram.part} is two parts, and an image shows one; "
                "choose either of them, or spectrogram.name log_mel",
            )
        super().__init__(clip.samples, (pixels, pixels, _COLOURS))

    def _transform(self, y: FloatArray) -> FloatArray:
        grey = resized(self._log_mel(y)[:, :, 0], self.shape[0])
        return np.repeat(grey[:, :, np.newaxis], _COLOURS, axis=2)


def resized(picture: FloatArray, pixels: int, *, order: int = 1) -> FloatArray:
    """Return a picture [shape=(height, width)] as many pixels either way, its corners kept.

    `order` is that of the spline between points: 1 is a line, 0 the nearest point.
    """
    factors = (pixels / picture.shape[0], pixels / picture.shape[1])
    image: FloatArray = zoom(picture, factors, order=order, mode="nearest")
    return image


def required_pixels(spectrogram: SpectrogramParams) -> int:
    """Return `spectrogram.pixels`, which 0 leaves open.

    Raises
    ------
    UserError
        When it is left open.
    """
    if not spectrogram.pixels:
        raise conflict("spectrogram.pixels", f"0, but {spectrogram.name} needs the image's height and width, as 224")
    return spectrogram.pixels
