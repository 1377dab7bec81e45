"""A mel spectrogram as the kind of image that networks trained on photographs expect."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom

from instrec.errors import conflict
from instrec.features.log_mel import LogMel
from instrec.features.representation import FloatArray, Representation
from instrec.params import ClipParams, SpectrogramParams

_CHANNELS = 3


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
        super().__init__(clip.samples, (pixels, pixels, _CHANNELS))

    def _transform(self, y: FloatArray) -> FloatArray:
        grey = resized(self._log_mel(y)[:, :, 0], self.shape[0])
        return np.repeat(grey[:, :, np.newaxis], _CHANNELS, axis=2)


def resized(image: FloatArray, pixels: int, *, order: int = 1) -> FloatArray:
    """Resize an image [shape=(height, width)] to `pixels` x `pixels`; its corners stay.

    `order` is the order of the spline between points: 1 is linear, 0 the nearest point.
    """
    factors = (pixels / image.shape[0], pixels / image.shape[1])
    zoomed: FloatArray = zoom(image, factors, order=order, mode="nearest")
    return zoomed


def required_pixels(spectrogram: SpectrogramParams) -> int:
    """Return `spectrogram.pixels`.

    Raises
    ------
    UserError
        If it is 0.
    """
    if not spectrogram.pixels:
        raise conflict("spectrogram.pixels", f"0, but {spectrogram.name} needs the image's height and width, as 224")
    return spectrogram.pixels
