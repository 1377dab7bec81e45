"""Images: log-mel resized, and amplitude with its phase."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from instrec.features import from_params
from instrec.features.spectrum import loudness
from instrec.params import ClipParams
from tests.features.music_clips import CLIP, SCALES, SPECTROGRAM, music, sine

PHASE = replace(SPECTROGRAM, name="phase_image", window=512, min_hz=100.0, max_hz=10000.0, pixels=227)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("pixels", [9, 40, 150])
@pytest.mark.parametrize("frames", [0, 20])
def test_an_image_is_the_log_mel_resized_three_times(scale, pixels, frames):
    spectrogram = replace(SPECTROGRAM, scale=scale, frames=frames, pixels=pixels)
    image = from_params(CLIP, replace(spectrogram, name="image"))(music())
    assert image.shape == (pixels, pixels, 3)
    assert np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(image[..., 0], image[..., 2])
    log_mel = from_params(CLIP, spectrogram)(music())[..., 0]
    axes = [np.arange(size) for size in log_mel.shape]
    places = np.meshgrid(*(np.linspace(0, size - 1, pixels) for size in log_mel.shape), indexing="ij")
    np.testing.assert_allclose(image[..., 0], RegularGridInterpolator(axes, log_mel)(tuple(places)), atol=1e-5)


def test_the_image_of_the_thesis():
    clip = ClipParams(12000, 1.0)
    parameters = replace(
        SPECTROGRAM, name="image", scale="log", window=2048, hop=1024, mels=128, min_hz=0.0, max_hz=6000.0, pixels=150
    )
    image = from_params(clip, parameters)(sine(1000, clip.samples, 12000))
    assert image.shape == (150, 150, 3)
    assert image.min() == 0
    assert image.max() > 0.95


@settings(max_examples=25)
@given(hertz=st.floats(150, 9900))
def test_the_phase_of_a_steady_tone_turns_evenly(hertz):
    hop = (CLIP.samples - PHASE.window) // 255
    amplitude, _, turn = np.moveaxis(from_params(CLIP, PHASE)(sine(hertz)), -1, 0)
    column = amplitude.mean(axis=0).argmax()
    assert amplitude[:, column].min() > 0.9
    expected = hertz * hop / CLIP.sample_rate + 0.5
    circle = np.abs((turn[:, column] - expected + 0.5) % 1 - 0.5)
    assert circle.max() < 0.01


def test_phase_and_its_change_belong_together():
    image = from_params(CLIP, replace(PHASE, pixels=256))(np.random.default_rng(0).standard_normal(CLIP.samples))
    assert (image[..., 0] > 0).all()
    step = np.diff(image[..., 1], axis=0) - (image[1:, :, 2] - 0.5)
    assert np.abs((step + 0.5) % 1 - 0.5).max() < 1e-3
    assert np.array_equal(image[0, :, 2], image[1, :, 2])


@pytest.mark.parametrize("scale", SCALES)
def test_amplitude_is_that_of_a_plain_fourier_transform(scale):
    """With as many pixels as frames, of a range with as many bins."""
    hertz = np.fft.rfftfreq(512, 1 / CLIP.sample_rate)
    clip = ClipParams(CLIP.sample_rate, (512 + 255 * 20) / CLIP.sample_rate)
    parameters = replace(PHASE, scale=scale, pixels=256, min_hz=0.0, max_hz=float(hertz[255]))
    y = music(clip.samples)
    frames = np.stack([y[first : first + 512] for first in range(0, 256 * 20, 20)])
    spectrum = np.fft.rfft(frames * np.hamming(513)[:-1])[:, :256]
    power = np.square(np.abs(spectrum))
    image = from_params(clip, parameters)(y)
    np.testing.assert_allclose(image[..., 0], loudness(power, power, parameters), atol=1e-4)
    audible = image[..., 0] > 0.3
    apart = image[..., 1] - (np.angle(spectrum) / (2 * np.pi) + 0.5)
    assert np.abs((apart + 0.5) % 1 - 0.5)[audible].max() < 1e-3


def test_what_is_under_the_floor_is_zero_in_every_channel():
    image = from_params(CLIP, PHASE)(music(CLIP.samples // 2))
    silent = image[140:]
    assert not silent.any()
    assert image[:100].all(axis=-1).mean() > 0.9
