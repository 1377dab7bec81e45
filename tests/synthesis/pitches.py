"""A SoundFont, a performance of one voice, and what is measured of the sound: its pitch and its color."""

import numpy as np

from instrec.synthesis.soundfonts import catalog
from instrec.synthesis.variation import Performance, Voice

RATE = 22050


def font(full_params, name: str = "TimGM6mb.sf2"):
    return catalog.find(name, full_params.soundfonts.folders)


def voiced(**values) -> Performance:
    return Performance(voices=(Voice(**values),))


def hertz(y: np.ndarray, rate: int = RATE) -> float:
    """The strongest frequency within half an octave of a' (440 Hz), to a small part of a hertz."""
    middle = y[len(y) // 4 : -len(y) // 4]
    strength = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 16 * len(middle)))
    frequencies = np.fft.rfftfreq(16 * len(middle), 1 / rate)
    near = (frequencies > 311) & (frequencies < 622)
    return float(frequencies[near][strength[near].argmax()])


def cents(y: np.ndarray, reference: np.ndarray) -> float:
    return float(1200 * np.log2(hertz(y) / hertz(reference)))


def centroid(y: np.ndarray) -> float:
    strength = np.abs(np.fft.rfft(y)) ** 2
    return float((strength * np.fft.rfftfreq(len(y), 1 / RATE)).sum() / strength.sum())
