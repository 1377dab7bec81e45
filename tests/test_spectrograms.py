"""Every representation keeps the contract; log-mel is librosa's, scaled."""

import dataclasses
from dataclasses import replace

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec import store
from instrec.errors import UserError
from instrec.params import ClipParams, SpectrogramParams
from instrec.spectrograms import REPRESENTATIONS, from_params, write

CLIP = ClipParams(sample_rate=22050, seconds=0.5)
SPECTROGRAM = SpectrogramParams(
    name="log_mel",
    part="whole",
    scale="decibels",
    window=1024,
    hop=256,
    mels=64,
    min_hz=30.0,
    max_hz=11025.0,
    floor_db=80.0,
    frames=0,
    pixels=0,
)


def music(samples=CLIP.samples, seed=0):
    """Two decaying harmonic notes over faint noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / CLIP.sample_rate
    notes = [
        np.sin(2 * np.pi * f * k * t) * np.exp(-3 * k * t) / k for f in rng.uniform(80, 800, 2) for k in range(1, 8)
    ]
    return (0.2 * np.sum(notes, axis=0) + 1e-3 * rng.standard_normal(samples)).astype(np.float32)


@pytest.fixture(params=REPRESENTATIONS, scope="module")
def representation(request):
    return REPRESENTATIONS[request.param](CLIP, SPECTROGRAM)


def test_shape_type_and_range(representation):
    picture = representation(music())
    assert picture.shape == representation.shape
    assert picture.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize("samples", [0, 1, CLIP.samples])
def test_silence_gives_zeros(representation, samples):
    assert not representation(np.zeros(samples, np.float32)).any()


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(1, CLIP.samples), gain=st.floats(1e-30, 1e6), seed=st.integers(0, 99))
def test_any_length_and_loudness_gives_numbers_in_range(representation, samples, gain, seed):
    picture = representation(np.float32(gain) * music(samples, seed))
    assert np.isfinite(picture).all()
    assert 0 <= picture.min() <= picture.max() <= 1


def test_shorter_is_padded_with_silence(representation):
    y = music(5000)
    padded = np.concatenate([y, np.zeros(CLIP.samples - 5000, np.float32)])
    assert np.array_equal(representation(y), representation(padded))


def test_longer_is_an_error(representation):
    with pytest.raises(ValueError, match=f"at most {CLIP.samples}"):
        representation(np.zeros(CLIP.samples + 1, np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_an_error(representation, bad):
    y = music()
    y[100] = bad
    with pytest.raises(ValueError, match="NaN"):
        representation(y)


def test_batches_and_threads_change_no_byte(representation):
    y = np.stack([music(seed=seed) for seed in range(7)])
    alone = np.stack([representation(clip) for clip in y])
    for threads in (1, 2, 3, 16):
        assert np.array_equal(representation.batch(y, threads=threads), alone)
    assert np.array_equal(np.concatenate([representation.batch(y[:5]), representation.batch(y[5:])]), alone)
    assert representation.batch(y[:0]).shape == (0, *representation.shape)


@pytest.mark.parametrize(
    ("window", "hop", "mels", "sample_rate", "min_hz", "max_hz", "floor_db"),
    [
        (2048, 512, 96, 22050, 30.0, 11025.0, 80.0),
        (1024, 512, 128, 22050, 0.0, 11025.0, 60.0),
        (1023, 300, 40, 16000, 50.0, 7000.0, 80.0),
        (4096, 1000, 128, 44100, 20.0, 16000.0, 100.0),
    ],
)
def test_log_mel_is_librosas(window, hop, mels, sample_rate, min_hz, max_hz, floor_db):
    clip = ClipParams(sample_rate, 0.7)
    spectrogram = replace(
        SPECTROGRAM, window=window, hop=hop, mels=mels, min_hz=min_hz, max_hz=max_hz, floor_db=floor_db
    )
    y = music(clip.samples)
    power = librosa.feature.melspectrogram(
        y=y, sr=sample_rate, n_fft=window, hop_length=hop, n_mels=mels, fmin=min_hz, fmax=max_hz
    )
    theirs = librosa.power_to_db(power, ref=np.max, top_db=floor_db).T / floor_db + 1
    ours = from_params(clip, spectrogram)(y)
    assert ours.shape == (*theirs.shape, 1)
    np.testing.assert_allclose(ours[..., 0], theirs, atol=2e-5)


@settings(max_examples=20, deadline=None)
@given(decibels=st.floats(-60, 60))
def test_log_mel_ignores_loudness(decibels):
    log_mel = REPRESENTATIONS["log_mel"](CLIP, SPECTROGRAM)
    gain = np.float32(10 ** (decibels / 20))
    np.testing.assert_allclose(log_mel(gain * music()), log_mel(music()), atol=2e-5)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"max_hz": 12000.0}, "spectrogram.max_hz: 12000"), ({"min_hz": 11025.0}, "spectrogram.min_hz: 11025")],
)
def test_a_band_that_cannot_be_is_the_users_to_mend(change, named):
    with pytest.raises(UserError, match=named):
        from_params(CLIP, dataclasses.replace(SPECTROGRAM, **change))


def audio_store(path, clips=70):
    """A store of int16 clips: music, and silence last."""
    sound = np.stack([music(seed=seed) for seed in range(clips - 1)] + [np.zeros(CLIP.samples, np.float32)])
    ids = [f"train/solo/flute-{number}" for number in range(clips)]
    labels = np.ones((clips, 1), np.uint8)
    rows = np.round(sound / np.abs(sound).max() * 32767).astype(np.int16)
    with store.create(
        path, name="audio", shape=(CLIP.samples,), dtype=np.int16, ids=ids, labels=labels, classes=("flute",)
    ) as writer:
        writer.append(rows)
    return rows


def test_a_store_of_audio_becomes_one_of_features(tmp_path):
    rows = audio_store(tmp_path / "audio.h5")
    representation = from_params(CLIP, SPECTROGRAM)
    for workers in (0, 1, 3):
        write(tmp_path / f"{workers}.h5", tmp_path / "audio.h5", representation, workers=workers)
    assert len({(tmp_path / f"{workers}.h5").read_bytes() for workers in (0, 1, 3)}) == 1
    with store.open_store(tmp_path / "0.h5") as features, store.open_store(tmp_path / "audio.h5") as audio:
        assert (features.ids, features.classes) == (audio.ids, audio.classes)
        assert np.array_equal(features.labels, audio.labels)
        assert (features.shape, features.dtype) == (representation.shape, np.float16)
        assert features.attrs["name"] == "features"
        expected = representation.batch(rows.astype(np.float32) / 32768)
        assert np.array_equal(features.read(0, len(rows)), expected.astype(np.float16))
        assert not features.read(len(rows) - 1, len(rows)).any()


def test_audio_of_another_length_is_the_users_to_mend(tmp_path):
    audio_store(tmp_path / "audio.h5", clips=2)
    longer = from_params(dataclasses.replace(CLIP, seconds=1.0), SPECTROGRAM)
    with pytest.raises(UserError, match=r"audio.h5: clips of shape .* 22050 samples; run `dvc repro synthesize`"):
        write(tmp_path / "features.h5", tmp_path / "audio.h5", longer)
    assert not (tmp_path / "features.h5").exists()
