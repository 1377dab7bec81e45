"""What sounds behind a clip: coloured noise, what is shaped as speech, mains hum; each decided by its seed."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Colours of noise: power falls as frequency to this exponent."""

SPEECH = "speech"

# Of the first three formants in Hz: lowest, highest, width; and how loud beside the first.
_FORMANTS = np.array([[250.0, 900.0, 80.0, 1.0], [700.0, 2500.0, 120.0, 0.6], [2000.0, 3600.0, 200.0, 0.3]])

_LOWEST_HZ = 20.0  # coloured noise ends here: what lies below is not heard, but would take all the level


def make(samples: int, sample_rate: int, *, seed: int, color: str) -> FloatArray:
    """Make noise of one of `EXPONENTS`, or `SPEECH`, shape (samples,)."""
    if color == SPEECH:
        return speech_noise(samples, sample_rate, seed=seed)
    return colored_noise(samples, sample_rate, seed=seed, color=color)


def colored_noise(samples: int, sample_rate: int, *, seed: int, color: str) -> FloatArray:
    """Make noise whose power falls as frequency to 0 (white), -1 (pink) or -2 (brown), shape (samples,)."""
    rng = np.random.default_rng(seed)
    length: int = scipy.fft.next_fast_len(max(samples, sample_rate // 10), real=True)
    hz = np.fft.rfftfreq(length, 1 / sample_rate)
    shape = np.zeros(len(hz), dtype=np.float32)
    heard = hz >= _LOWEST_HZ
    shape[heard] = (hz[heard] / _LOWEST_HZ) ** (-EXPONENTS[color] / 2)
    spectrum = rng.standard_normal((len(hz), 2), dtype=np.float32).view(np.complex64)[:, 0] * shape
    noise: FloatArray = scipy.fft.irfft(spectrum, length)[:samples]
    return noise


def speech_noise(samples: int, sample_rate: int, *, seed: int) -> FloatArray:
    """Make what is shaped as speech and says nothing, shape (samples,).

    Syllables, three to eight a second, of three formants drawn anew for each, over a buzz of one speaker's pitch or
    over breath alone; now and then a rest.
    """
    rng = np.random.default_rng(seed)
    voiced, pitch_hz = rng.random() < 0.6, np.exp(rng.uniform(np.log(85), np.log(260)))
    low, high, width_hz, weight = _FORMANTS.T[:, :, np.newaxis]
    noise = np.zeros(samples + sample_rate, dtype=np.float32)
    at = 0
    while at < samples:
        length = round(rng.uniform(0.12, 0.35) * sample_rate)
        source = rng.standard_normal(length)
        if voiced:
            glide = np.linspace(1, rng.uniform(0.75, 1.25), length)
            source = 0.1 * source + 2 * (np.cumsum(pitch_hz * rng.uniform(0.85, 1.15) * glide) / sample_rate % 1) - 1
        centre_hz = np.exp(rng.uniform(np.log(low), np.log(high)))
        distance = (np.fft.rfftfreq(length, 1 / sample_rate) - centre_hz) / width_hz
        formants = (weight / (1 + distance**2)).sum(axis=0)
        syllable = np.fft.irfft(np.fft.rfft(source) * formants, length) * np.hanning(length + 2)[1:-1]
        noise[at : at + length] += syllable * rng.uniform(0.3, 1)
        at += round(length * rng.uniform(0.7, 1.1))
        if rng.random() < 0.15:
            at += round(rng.uniform(0.2, 0.8) * sample_rate)
    return noise[:samples]


def hum(samples: int, sample_rate: int, hz: float) -> FloatArray:
    """Mains hum of unit RMS: eight overtones, the odd ones stronger, as transformers have them."""
    t = np.arange(samples, dtype=np.float32) / sample_rate
    y = np.zeros(samples, dtype=np.float32)
    for overtone in range(1, 9):
        weight = 1 / overtone if overtone % 2 else 0.3 / overtone
        y += np.float32(weight) * np.cos(np.float32(2 * np.pi * hz * overtone) * t)
    unit: FloatArray = y / np.sqrt(np.mean(np.square(y, dtype=np.float64))).astype(np.float32)
    return unit
