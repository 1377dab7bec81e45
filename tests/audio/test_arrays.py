"""An array gives the same samples as the file that soundfile writes of it."""

import numpy as np
import pytest
import soundfile

from instrec.audio import arrays, decoding
from instrec.errors import UserError

RATE, TARGET = 44100, 16000


def whole(y: np.ndarray, rate: int | None = RATE) -> np.ndarray:
    return np.concatenate(list(arrays.blocks(y, rate, TARGET)))


@pytest.fixture
def stereo() -> np.ndarray:
    random, time = np.random.default_rng(0), np.arange(2 * RATE)[:, np.newaxis] / RATE
    return 0.4 * np.sin(2 * np.pi * np.array([440.0, 555.0]) * time) + 0.01 * random.standard_normal((len(time), 2))


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [(np.float32, "FLOAT"), (np.float64, "DOUBLE"), (np.int16, "PCM_16"), (np.int32, "PCM_32")],
)
def test_as_the_file(stereo, tmp_path, kind, subtype):
    y = stereo.astype(kind) if np.issubdtype(kind, np.floating) else (stereo * np.iinfo(kind).max).astype(kind)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype=subtype)
    np.testing.assert_allclose(whole(y), decoding.load(tmp_path / "a.wav", TARGET), atol=1e-6)


def test_as_the_file_of_bytes(stereo, tmp_path):
    soundfile.write(tmp_path / "a.wav", stereo, RATE, subtype="PCM_U8")
    mono = stereo.mean(axis=1)
    y = np.round(128 * mono + 128).clip(0, 255).astype(np.uint8)
    np.testing.assert_allclose(whole(y), decoding.load(tmp_path / "a.wav", TARGET), atol=0.02)


def test_a_masked_array_is_heard_as_its_data(stereo):
    np.testing.assert_array_equal(whole(np.ma.masked_array(stereo)), whole(stereo))


def test_channels_that_cancel_each_other_are_heard(stereo):
    y = np.stack([stereo[:, 0], -stereo[:, 0]], axis=1)
    np.testing.assert_allclose(whole(y), whole(stereo[:, 0]), atol=1e-3)


def test_what_is_beyond_full_scale_is_clipped(stereo):
    assert np.abs(whole(9 * stereo)).max() == 1


@pytest.mark.parametrize(
    ("y", "rate", "reason"),
    [
        (np.zeros(9), None, "sample_rate=None: an array needs its own, 1000 to 768000 Hz"),
        (np.zeros(9), 44, "sample_rate=44"),
        (np.zeros(0), RATE, r"shape \(0,\): holds no samples"),
        (np.zeros((9, 0)), RATE, r"shape \(9, 0\): holds no samples"),
        (np.zeros(()), RATE, r"shape \(\)"),
        (np.zeros((2, 9000)), RATE, r"shape \(2, 9000\): allowed is \(samples,\) or \(samples, channels\)"),
        (np.zeros((2, 2, 2)), RATE, "shape"),
        (np.zeros(9, bool), RATE, "type bool"),
        (np.full(9, np.inf), RATE, "not numbers"),
    ],
)
def test_what_is_no_sound_is_refused(y, rate, reason):
    with pytest.raises(UserError, match=reason):
        whole(y, rate)
