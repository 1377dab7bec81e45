"""Sounds that differ from their noise, and what is measured on both."""

import dataclasses

import numpy as np

from instrec.params import NoiseParams
from instrec.synthesis.noise.table import EFFECTS

RATE = 22050
CHANCES = [field.name for field in dataclasses.fields(NoiseParams) if field.name.endswith("_probability")]
NONE = NoiseParams(**dict.fromkeys(CHANCES, 0.0), min_snr_db=5.0, max_snr_db=40.0)
BOUNDS = NoiseParams(**{**dict.fromkeys(CHANCES, 0.4), "sethi_probability": 0.3}, min_snr_db=5.0, max_snr_db=40.0)


def tone(samples=RATE, hz=440.0):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / RATE)).astype(np.float32)


def white(samples=2 * RATE):
    return (0.1 * np.random.default_rng(5).standard_normal(samples)).astype(np.float32)


def impulse(samples=2 * RATE):
    y = np.zeros(samples, np.float32)
    y[0] = 0.5
    return y


def values_of(name, seed=0):
    return EFFECTS[name].draw(np.random.default_rng(seed), BOUNDS, RATE)


def one_step(name, seed=0):
    return [{"effect": name, **values_of(name, seed)}]


def decibels(a, b):
    return 10 * np.log10(np.mean(np.square(a, dtype=float)) / np.mean(np.square(b, dtype=float)))


def gain_db(before, after, low_hz, high_hz):
    """Level of a frequency band after, relative to before."""
    hz = np.fft.rfftfreq(len(before), 1 / RATE)
    band = (hz >= low_hz) & (hz < high_hz)
    return decibels(np.abs(np.fft.rfft(after))[band], np.abs(np.fft.rfft(before))[band])


def flatness(y):
    """Geometric over arithmetic mean of a smoothed power spectrum: near 1 for white noise."""
    frames = y[: len(y) // 512 * 512].reshape(-1, 512)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(512))) ** 2, axis=0)[2:-2]
    return np.exp(np.mean(np.log(power))) / np.mean(power)


def decay_seconds(room):
    """The time in which echoes fall by 60 dB, from their fall by the first 25 (Schroeder's backward integral)."""
    left = np.cumsum(np.square(room[::-1], dtype=float))[::-1]
    left_db = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    start, stop = np.argmax(left_db < -5), np.argmax(left_db < -25)
    return -60 / np.polyfit(np.arange(start, stop) / RATE, left_db[start:stop], 1)[0]
