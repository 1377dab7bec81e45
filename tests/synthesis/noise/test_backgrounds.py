"""Noise by itself: its color, its syllables."""

import numpy as np
import pytest

from instrec.synthesis.noise import backgrounds
from tests.synthesis.noise.sounds import RATE


@pytest.mark.parametrize(("color", "slope"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_colored_noise_falls_by_its_decibels_an_octave(color, slope):
    y = backgrounds.colored_noise(10 * RATE, RATE, seed=3, color=color)
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    power = np.abs(np.fft.rfft(y)) ** 2
    octaves = [np.mean(power[(hz >= 100 * 2**k) & (hz < 200 * 2**k)]) for k in range(6)]
    assert np.polyfit(range(6), 10 * np.log10(octaves), 1)[0] == pytest.approx(slope, abs=0.3)


@pytest.mark.parametrize("seed", range(6))
def test_speech_has_syllables_and_formants(seed):
    y = backgrounds.speech_noise(10 * RATE, RATE, seed=seed)
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    power = np.abs(np.fft.rfft(y)) ** 2
    assert power[(hz > 200) & (hz < 5000)].sum() > 0.75 * power.sum()
    level = np.sqrt(np.square(y).reshape(-1, RATE // 50).mean(axis=1))  # every 20 ms
    rises = np.abs(np.fft.rfft(level - level.mean()))[: 10 * 25] ** 2  # up to 25 Hz
    assert rises[15:120].sum() > 0.4 * rises.sum()  # 1.5 to 12 Hz
