"""Data URIs hold what they are made of."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

from instrec.web import media


def content(uri: str, mime: str) -> io.BytesIO:
    head, _, data = uri.partition(",")
    assert head == f"data:{mime};base64"
    return io.BytesIO(base64.b64decode(data))


@pytest.mark.parametrize(("rate", "mime"), [(22050, "audio/mpeg"), (16000, "audio/mpeg"), (20000, "audio/flac")])
def test_a_sound_stays_what_it_is(rate, mime):
    y = (3000 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.int16)
    decoded, found = soundfile.read(content(media.sound(y, rate), mime))
    assert found == rate
    assert len(decoded) == pytest.approx(2 * rate, abs=0.1 * rate)
    assert np.abs(decoded).max() == pytest.approx(0.9, abs=0.05)
    assert np.abs(np.fft.rfft(decoded[:rate])).argmax() == pytest.approx(440, abs=1)


def test_a_sound_is_small():
    noise = np.random.default_rng(0).normal(0, 1000, 3 * 22050).astype(np.int16)
    assert len(media.sound(noise, 22050)) < 30_000


@pytest.mark.parametrize("y", [np.zeros(2000, np.int16), np.zeros(0, np.float32)])
def test_silence_is_no_trouble(y):
    assert media.sound(y, 16000).startswith("data:audio/mpeg")


def test_heat_is_darkest_at_nought_and_keeps_its_shape():
    pixels = imread(content(media.heat(np.array([[0, 0.5, 1], [2, -1, 0]])), "image/png"))[..., :3]
    assert pixels.shape == (2, 3, 3)
    brightness = pixels.sum(axis=2)
    assert brightness[0, 0] < brightness[0, 1] < brightness[0, 2]
    assert (brightness[1, 0], brightness[1, 1]) == (brightness[0, 2], brightness[0, 0])


def test_shades_are_opacity():
    pixels = imread(content(media.shades(np.array([[0, 0.5, 1.0]]), (10, 20, 30)), "image/png"))
    assert (pixels[..., 3] * 255).round().tolist() == [[0, 128, 255]]
    assert (pixels[0, 2, :3] * 255).round().tolist() == [10, 20, 30]
