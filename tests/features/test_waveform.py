"""The wave itself as features."""

from dataclasses import replace

import numpy as np

from instrec.features import from_params
from tests.features.music_clips import CLIP, SPECTROGRAM, music

WAVEFORM = from_params(CLIP, replace(SPECTROGRAM, name="waveform"))


def test_the_samples_are_still_there():
    y = music()
    features = WAVEFORM(y)
    assert features.shape == (CLIP.samples, 1, 1)
    np.testing.assert_allclose(2 * features[:, 0, 0] - 1, y / np.abs(y).max(), atol=1e-6)


def test_loudness_cancels_out_and_silence_within_a_clip_is_the_middle():
    y = music(CLIP.samples // 2)
    assert np.array_equal(WAVEFORM(y), WAVEFORM(y / 4))
    assert (WAVEFORM(y)[len(y) :] == 0.5).all()
