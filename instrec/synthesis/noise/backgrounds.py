"""Backgrounds of clips: colored noise, speech-like noise, mains hum, each determined by its seed."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Colors of noise: power is proportional to frequency to this exponent."""

SPEECH = "speech"

# Of the first four formants in Hz: lowest, highest, width; and how loud beside the first.
_FORMANTS = np.array(
    [
        [250.0, 900.0, 80.0, 1.0],
        [700.0, 2500.0, 110.0, 0.8],
        [1900.0, 3600.0, 170.0, 0.5],
        [3000.0, 4500.0, 250.0, 0.3],
    ]
)

_LOWEST_HZ = (2.0, 40.0)  # colored noise ends here: lower frequencies are inaudible, but would raise the level


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
    lowest_hz = np.exp(rng.uniform(*np.log(_LOWEST_HZ)))
    audible = hz >= lowest_hz
    shape[audible] = (hz[audible] / lowest_hz) ** (-EXPONENTS[color] / 2)
    spectrum = rng.standard_normal((len(hz), 2), dtype=np.float32).view(np.complex64)[:, 0] * shape
    noise: FloatArray = scipy.fft.irfft(spectrum, length)[:samples]
    return noise


def speech_noise(samples: int, sample_rate: int, *, seed: int) -> FloatArray:
    """Make speech-like noise without words, shape (samples,).

    Syllables, two to ten a second, each gliding from formants to others, over a buzz of one speaker's pitch or over
    breath alone; some begin with a hiss; now and then a rest. Speakers differ in pace, in how narrow and how equal
    their formants are, and in how much they hiss.
    """
    rng = np.random.default_rng(seed)
    voice = _Voice(rng)
    noise = np.zeros(samples + sample_rate, dtype=np.float32)
    at = 0
    while at < samples:
        length = round(voice.seconds * rng.uniform(0.6, 1.7) * sample_rate)
        syllable = voice.vowels(rng, length, sample_rate)
        if rng.random() < voice.hisses:
            hiss = voice.hiss(rng, round(rng.uniform(0.2, 0.6) * length), sample_rate)
            syllable[: len(hiss)] += hiss * rng.uniform(0.2, 1.5) * np.abs(syllable).max()
        noise[at : at + length] += syllable * rng.uniform(0.3, 1)
        at += round(length * rng.uniform(0.7, 1.1))
        if rng.random() < voice.rests:
            at += round(rng.uniform(0.2, 0.8) * sample_rate)
    return noise[:samples]


class _Voice:
    """The constant properties of a speaker."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.pitch_hz = np.exp(rng.uniform(np.log(80), np.log(280)))
        self.breath = 1.0 if rng.random() < 0.4 else rng.uniform(0.02, 0.3)  # of what is not buzz
        self.seconds, self.rests = rng.uniform(0.1, 0.3), rng.uniform(0.05, 0.25)
        self.hisses, self.hiss_hz = rng.uniform(0, 0.6), rng.uniform(2500, 5500)
        self.width = np.exp(rng.uniform(np.log(0.5), np.log(2.5)))  # of formants, beside the usual
        self.fall = rng.uniform(0.3, 1.2)  # from the first to the others, beside the usual
        self.fade = rng.uniform(0.4, 1.5)  # how gently syllables come and go

    def vowels(self, rng: np.random.Generator, length: int, sample_rate: int) -> NDArray[np.float64]:
        """One syllable: a source through formants that glide into others."""
        source = rng.standard_normal(length)
        if self.breath < 1:
            bend = np.linspace(1, rng.uniform(0.75, 1.25), length)
            turns = np.cumsum(self.pitch_hz * rng.uniform(0.8, 1.25) * bend) / sample_rate
            source = self.breath * source + 2 * (turns % 1) - 1
        low, high, width_hz, weight = _FORMANTS.T[:, :, np.newaxis]
        hz, spectrum = np.fft.rfftfreq(length, 1 / sample_rate), np.fft.rfft(source)
        sounds = []
        for _ in range(2):
            distance = (hz - np.exp(rng.uniform(np.log(low), np.log(high)))) / (width_hz * self.width)
            formants = (weight**self.fall / (1 + distance**2)).sum(axis=0)
            sounds.append(np.fft.irfft(spectrum * formants, length))
        part = np.linspace(0, 1, length)
        syllable: NDArray[np.float64] = (sounds[0] * (1 - part) + sounds[1] * part) * self._window(length)
        return syllable

    def hiss(self, rng: np.random.Generator, length: int, sample_rate: int) -> NDArray[np.float64]:
        """A consonant at most 1 high: noise above a frequency."""
        hz = np.fft.rfftfreq(length, 1 / sample_rate)
        edge = 1 / (1 + (self.hiss_hz * rng.uniform(0.7, 1.3) / np.maximum(hz, 1)) ** 4)
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * edge, length) * self._window(length)
        consonant: NDArray[np.float64] = noise / np.abs(noise).max()
        return consonant

    def _window(self, length: int) -> NDArray[np.float64]:
        window: NDArray[np.float64] = np.hanning(length + 2)[1:-1] ** self.fade
        return window


def hum(samples: int, sample_rate: int, hz: float) -> FloatArray:
    """Mains hum of unit RMS: eight overtones, the odd ones stronger, as transformers have them."""
    t = np.arange(samples, dtype=np.float32) / sample_rate
    y = np.zeros(samples, dtype=np.float32)
    for overtone in range(1, 9):
        weight = 1 / overtone if overtone % 2 else 0.3 / overtone
        y += np.float32(weight) * np.cos(np.float32(2 * np.pi * hz * overtone) * t)
    unit: FloatArray = y / np.sqrt(np.mean(np.square(y, dtype=np.float64))).astype(np.float32)
    return unit
