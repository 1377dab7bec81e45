"""Audio and images as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_PEAK = 0.9


def sound(y: NDArray[Any], sample_rate: int) -> str:
    """Return samples [shape=(n,)] as a data URI: MP3, or FLAC at rates that MP3 lacks. The loudest gets `_PEAK`."""
    import soundfile  # not for `instrec serve`, whose browser has the file

    loudest = float(np.abs(y).max(initial=0)) or 1.0
    levelled = np.asarray(y, np.float32) * (_PEAK / loudest)
    kind, mime = ("MP3", "audio/mpeg") if sample_rate in _MP3_RATES else ("FLAC", "audio/flac")
    written = io.BytesIO()
    soundfile.write(written, levelled, sample_rate, format=kind)
    return uri(written.getvalue(), mime)


def heat(values: NDArray[Any]) -> str:
    """Return values within 0..1 as the pixels of a PNG [shape=(rows, columns)], dark to bright, as a data URI."""
    from matplotlib import colormaps

    palette = (np.asarray(colormaps["magma"].resampled(256)(np.arange(256)))[:, :3] * 255).astype(np.uint8)
    return _png(_levels(values), palette.tobytes())


def shades(values: NDArray[Any], color: tuple[int, int, int]) -> str:
    """Return values within 0..1 as the opacity of a color, so that the page shows through low ones."""
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = color, _levels(values)
    return _png(pixels)


def uri(content: bytes, mime: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)


def _png(pixels: NDArray[np.uint8], palette: bytes = b"") -> str:
    from PIL import Image

    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(palette)
    written = io.BytesIO()
    image.save(written, format="png", optimize=True)
    return uri(written.getvalue(), "image/png")
