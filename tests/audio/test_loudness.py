"""What is silent in a file, and what is so in a quiet one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.audio import loudness

RATE = 16000


def decibels(level: float) -> float:
    return 20 * float(np.log10(level))


def envelope(y: np.ndarray, cuts: list[int] | None = None) -> loudness.Envelope:
    found = loudness.Envelope(RATE // 100)
    for part in np.split(y.astype(np.float32), cuts or []):
        found.add(part)
    found.peaks()
    return found


@given(st.floats(-15, 0))
def test_a_usual_file_is_silent_under_70_decibels(loudest):
    for dither in (loudness.DITHER_RMS_DBFS, loudness.DITHER_PEAK_DBFS):
        assert decibels(loudness.silence(10 ** (loudest / 20), dither)) == pytest.approx(loudness.SILENCE_DBFS)


@given(st.floats(-74.9, -15), st.floats(-74.9, -15))
def test_the_quieter_a_file_the_quieter_its_silence_but_never_under_dither(one, other):
    low, high = sorted((one, other))
    quiet, loud = (decibels(loudness.silence(10 ** (each / 20), loudness.DITHER_RMS_DBFS)) for each in (low, high))
    assert -90.001 <= quiet <= loud + 1e-9
    assert loud <= -69.999
    assert quiet < low


def noise(seconds: float, *, slope: float = 0.0, seed: int = 0) -> np.ndarray:
    """Gaussian noise of an RMS level of 1, whose power falls with frequency to the power of `slope`."""
    samples = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum[0] = 0
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    y = np.fft.irfft(spectrum, samples)
    return y / np.sqrt(np.mean(y**2))


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("offset", [0.0, 1e-3])
def test_noise_at_minus_80_is_silence(slope, offset):
    y = 10 ** (-80 / 20) * noise(600, slope=slope) + offset
    assert loudness.silence(envelope(y).loudest, loudness.DITHER_RMS_DBFS) == np.inf


@pytest.mark.parametrize("hz", [80, 440, 3000])
def test_a_tone_that_peaks_at_minus_66_is_none(hz):
    y = 10 ** (-66 / 20) * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    assert loudness.silence(envelope(y).loudest, loudness.DITHER_RMS_DBFS) < 1e-4


@given(st.lists(st.integers(0, 4000), max_size=6).map(sorted))
def test_an_envelope_does_not_depend_on_the_blocks(cuts):
    y = noise(0.25).astype(np.float32)
    whole, parts = envelope(y), envelope(y, cuts)
    assert (parts.total, parts.loudest) == (whole.total, whole.loudest)
    np.testing.assert_array_equal(whole.peaks(), np.abs(y).reshape(-1, whole.frame).max(axis=1))


def test_a_last_sample_is_no_loud_frame():
    assert envelope(np.append(np.zeros(RATE), 0.01)).loudest < 0.001
