"""Features as EfficientAT's code makes them, at another loudness: written out here frame by frame."""

from dataclasses import replace

import numpy as np
import pytest

from instrec.features import from_params
from instrec.params import ClipParams
from tests.features.music_clips import SPECTROGRAM, music
from tests.refusals import refused

CLIP = ClipParams(sample_rate=32000, seconds=0.5)
PUBLISHED = replace(
    SPECTROGRAM, name="audioset_mel", window=800, hop=320, mels=128, min_hz=0.0, max_hz=15000.0, floor_db=60.0
)


def mel(hertz):
    return 1127 * np.log(1 + hertz / 700)


def filters() -> np.ndarray:
    """Triangles on Kaldi's mel scale [shape=(128, 513)], the last bin left out."""
    step = mel(15000) / 129
    bank = np.zeros((128, 513))
    for band in range(128):
        for number in range(512):
            bank[band, number] = max(0, 1 - abs(mel(number * 32000 / 1024) / step - band - 1))
    return bank


def published(y: np.ndarray) -> np.ndarray:
    """The logarithm of power plus 0.00001 [shape=(frames, 128)]."""
    emphasized = y[1:] - 0.97 * y[:-1]
    padded = np.pad(emphasized, 512, mode="reflect")
    taper = np.pad(np.hanning(800), 112)
    frames = [padded[start : start + 1024] * taper for start in range(0, len(padded) - 1023, 320)]
    return np.log(np.square(np.abs(np.fft.rfft(frames))) @ filters().T + 1e-5)


@pytest.mark.parametrize("gain", [1e-3, 1.0])
def test_they_are_the_published_ones_of_the_clip_at_the_known_loudness(gain):
    y = music(CLIP.samples).astype(np.float64)
    y[:2000] = 0  # at the ends, the published ones have a mirror image of the clip
    loudest = np.exp(published(y)[2:-2].max()) - 1e-5
    expected = published(y * np.sqrt(1e-5 * 10**6 / loudest))
    features = from_params(CLIP, PUBLISHED)((gain * y).astype(np.float32))[..., 0]
    assert (len(features), len(expected)) == (51, 50)
    given = np.log(1e-5) + 6 * np.log(10) * features[:50]
    np.testing.assert_allclose(given[2:-2], expected[2:-2], atol=2e-3)


def test_a_band_without_a_bin_is_the_users_to_mend():
    with refused("parameters-conflict", "params.yaml: spectrogram.mels", "400", "spectrogram.window, 800"):
        from_params(CLIP, replace(PUBLISHED, mels=400))
