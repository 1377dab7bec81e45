"""Log-mel is librosa's, scaled."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.features import from_params
from instrec.params import ClipParams
from tests.features.music_clips import CLIP, SCALES, SPECTROGRAM, music


def librosas_power(y, clip, spectrogram):
    return librosa.feature.melspectrogram(
        y=y,
        sr=clip.sample_rate,
        n_fft=spectrogram.window,
        hop_length=spectrogram.hop,
        n_mels=spectrogram.mels,
        fmin=spectrogram.min_hz,
        fmax=spectrogram.max_hz,
    ).T


@pytest.mark.parametrize(
    ("window", "hop", "mels", "sample_rate", "min_hz", "max_hz", "floor_db"),
    [
        (2048, 512, 96, 22050, 30.0, 11025.0, 80.0),
        (1024, 512, 128, 22050, 0.0, 11025.0, 60.0),
        (1023, 300, 40, 16000, 50.0, 7000.0, 80.0),
        (1023, 100, 40, 16000, 50.0, 7000.0, 80.0),
        (4096, 1000, 128, 44100, 20.0, 16000.0, 100.0),
        (1024, 512, 128, 44100, 0.0, 22050.0, 80.0),
        (2048, 1024, 128, 12000, 0.0, 6000.0, 80.0),
    ],
)
def test_decibels_are_librosas(window, hop, mels, sample_rate, min_hz, max_hz, floor_db):
    clip = ClipParams(sample_rate, 0.7)
    spectrogram = replace(
        SPECTROGRAM, window=window, hop=hop, mels=mels, min_hz=min_hz, max_hz=max_hz, floor_db=floor_db
    )
    y = music(clip.samples)
    power = librosas_power(y, clip, spectrogram)
    theirs = librosa.power_to_db(power, ref=np.max, top_db=floor_db) / floor_db + 1
    ours = from_params(clip, spectrogram)(y)
    assert ours.shape == (*theirs.shape, 1)
    np.testing.assert_allclose(ours[..., 0], theirs, atol=2e-5)


def test_log_is_the_natural_logarithm_between_the_clips_extremes():
    spectrogram = replace(SPECTROGRAM, scale="log", floor_db=200.0)
    natural = np.log(librosas_power(music(), CLIP, spectrogram))
    theirs = (natural - natural.min()) / (natural.max() - natural.min())
    ours = from_params(CLIP, spectrogram)(music())[..., 0]
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    assert (ours.min(), ours.max()) == (pytest.approx(0, abs=1e-5), 1)


def test_log_has_a_floor():
    """A clip that goes down to silence has its extremes further apart than `floor_db`: both scales are one."""
    decibels, log = (from_params(CLIP, replace(SPECTROGRAM, scale=scale)) for scale in SCALES)
    y = music(CLIP.samples // 2)
    assert np.array_equal(decibels(y), log(y))
    assert not np.array_equal(decibels(music()), log(music()))


@pytest.mark.parametrize("scale", SCALES)
@settings(max_examples=20)
@given(decibels=st.floats(-60, 60))
def test_loudness_cancels_out(scale, decibels):
    log_mel = from_params(CLIP, replace(SPECTROGRAM, scale=scale))
    gain = np.float32(10 ** (decibels / 20))
    np.testing.assert_allclose(log_mel(gain * music()), log_mel(music()), atol=2e-5)


@pytest.mark.parametrize("frames", [1, 10, 26])
@pytest.mark.parametrize("name", ["log_mel", "multi_resolution"])
def test_only_the_first_frames(name, frames):
    spectrogram = replace(SPECTROGRAM, name=name, part="solo_accompaniment")
    whole = from_params(CLIP, spectrogram)(music())
    assert np.array_equal(from_params(CLIP, replace(spectrogram, frames=frames))(music()), whole[:frames])
