"""Features made once for all windows that overlap are those of each window alone."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librosa.filters import mel

from instrec import features
from instrec.inference import front_end
from instrec.params import ClipParams
from tests.tone_model import CARD

CLIP = ClipParams(sample_rate=8000, seconds=0.5)
SPECTROGRAM = replace(CARD.spectrogram, mels=20, max_hz=4000.0, window=512, hop=128)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"scale": "log"},
        {"frames": 9},
        {"window": 511},
        {"window": 6000},
        {"hop": 127},
        {"name": "multi_resolution"},
        {"name": "audioset_mel"},
        {"name": "audioset_mel", "window": 400, "scale": "log", "frames": 9},
    ],
    ids=str,
)
@settings(max_examples=20)
@given(seed=st.integers(0, 99), steps=st.integers(1, 40), number=st.integers(1, 9), level=st.sampled_from([1, 1e-4, 0]))
def test_the_same_as_of_each_window_alone(change, seed, steps, number, level):
    spectrogram = replace(SPECTROGRAM, **change)
    step, samples = spectrogram.hop * steps, CLIP.samples
    y = np.random.default_rng(seed).standard_normal(samples + (number - 1) * step).astype(np.float32)
    y = level * np.exp(-np.arange(len(y), dtype=np.float32) / 2000) * y
    shared = front_end.made(CLIP.sample_rate, samples, asdict(spectrogram))
    assert shared
    alone = features.from_params(CLIP, spectrogram)
    expected = alone.batch(np.stack([y[start : start + samples] for start in range(0, number * step, step)]), threads=1)
    np.testing.assert_allclose(shared(y, step), expected, atol=3e-6)


def test_windows_off_the_grid_are_made_alone():
    y = np.random.default_rng(0).standard_normal(CLIP.samples + 201).astype(np.float32)
    shared, alone = front_end.made(8000, CLIP.samples, asdict(SPECTROGRAM)), features.from_params(CLIP, SPECTROGRAM)
    assert shared
    expected = alone.batch(np.stack([y[start : start + CLIP.samples] for start in (0, 67, 134, 201)]))
    np.testing.assert_allclose(shared(y, 67), expected, atol=3e-6)


@pytest.mark.parametrize("change", [{"part": "harmonic"}, {"name": "image", "pixels": 48}])
def test_what_needs_a_whole_window_is_not_shared(change):
    assert front_end.made(8000, CLIP.samples, asdict(replace(SPECTROGRAM, **change))) is None


@pytest.mark.parametrize(("rate", "window", "low"), [(22050, 2048, 30.0), (16000, 1024, 1500.0), (44100, 4096, 0.0)])
def test_the_filters_are_those_of_librosa(rate, window, low):
    expected = mel(sr=rate, n_fft=window, n_mels=64, fmin=low, fmax=rate / 2).T
    np.testing.assert_allclose(front_end.mel_bank(rate, window, 64, low, rate / 2), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("window", "mels"), [(2048, 96), (8192, 229), (512, 20)])
def test_the_filters_in_blocks_are_all_of_them_and_leave_the_cores_alone(window, mels):
    known = front_end.LogMel(22050, 66150, "db", window, 512, mels, 30.0, 11025.0, 80.0, 0)
    together = np.zeros_like(known.bank)
    for bins, bands, bank in known.blocks:
        together[bins, bands] += bank
        assert 64 * bank.size <= 2**18  # OpenBLAS multiplies larger matrices in threads
    np.testing.assert_array_equal(together, known.bank)
