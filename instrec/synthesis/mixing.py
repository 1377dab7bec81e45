"""Sounds mixed at levels of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from instrec.synthesis.fluidsynth import SILENCE

Signal = npt.NDArray[np.float32]
_MOMENT_SECONDS = 0.4


def mix(sounds: Sequence[Signal], levels_db: npt.ArrayLike, sample_rate: int) -> Signal:
    """Add sounds of one length, each brought to its level in dBFS; what is silent stays so."""
    amplitudes = 10 ** (np.asarray(levels_db) / 20)
    mixed = np.zeros_like(sounds[0])
    for y, amplitude in zip(sounds, amplitudes, strict=True):
        mixed += y * np.float32(amplitude / max(momentary_level(y, sample_rate), SILENCE))
    return mixed


def momentary_level(y: Signal, sample_rate: int) -> float:
    """Return the highest RMS level of .4 s of y: momentary loudness (EBU Tech 3341) without its filter."""
    length = min(len(y), round(_MOMENT_SECONDS * sample_rate))
    power = np.concatenate([[0.0], np.cumsum(np.square(y, dtype=np.float64))])
    return float(np.sqrt(max(0.0, (power[length:] - power[:-length]).max()) / length))
