"""Sounds on which an exported model is compared with its original: notes, noise, and extremes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instrec.params import ClipParams
from instrec.util.seeding import generator

_NOTES = 8


def probes(clip: ClipParams) -> NDArray[np.float32]:
    """Return windows [shape=(windows, samples)], the same ones every time."""
    random = generator(0, "export")
    time = np.arange(clip.samples) / clip.sample_rate
    click = np.zeros(clip.samples)
    click[clip.samples // 2] = 1
    noise = random.uniform(-1, 1, clip.samples)
    highest = np.sin(2 * np.pi * 0.49 * np.arange(clip.samples))
    extremes = [np.zeros(clip.samples), np.ones(clip.samples), click, highest, np.sign(noise)]
    noises = [10**exponent * noise for exponent in (0, -2, -4, -6)]
    notes = [_note(random, time) + 10 ** random.uniform(-5, -1) * noise for _ in range(_NOTES)]
    chord = np.sum([_note(random, time) for _ in range(3)], axis=0)
    windows: NDArray[np.float32] = np.clip([*extremes, *noises, *notes, chord], -1, 1).astype(np.float32)
    return windows


def _note(random: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a tone with overtones and vibrato that starts somewhere, and dies away or does not."""
    pitch, start = 27.5 * 2 ** random.uniform(0, 6), random.uniform(0, time[-1] / 2)
    phase = 2 * np.pi * pitch * time + random.uniform(0, 3) * np.sin(2 * np.pi * 5 * time)
    tone = np.sum([np.sin(order * phase) / order ** random.uniform(0.5, 2) for order in range(1, 9)], axis=0)
    loudness = random.uniform(0.01, 0.5) * np.exp(-random.choice([0, 1, 5]) * (time - start)) * (time >= start)
    sound: NDArray[np.float64] = loudness * tone
    return sound
