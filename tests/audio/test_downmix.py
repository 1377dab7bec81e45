"""What sounds in any channel is audible in their mix; where nothing is canceled, that is the mean."""

import numpy as np
import pytest
import soundfile

from instrec.audio import decoding

RATE = 22050
CHORUS = slice(4 * RATE, 8 * RATE)


def music(seconds: float = 12.0, seed: int = 0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return 0.3 * np.sin(2 * np.pi * 330 * t) + 0.02 * noise


def level(y: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(y, dtype=np.float64))))


def mix(folder, *channels: np.ndarray, subtype: str = "FLOAT", rate: int = RATE) -> np.ndarray:
    soundfile.write(folder / "a.wav", np.stack(channels, axis=1), rate, subtype=subtype)
    return decoding.load(folder / "a.wav", RATE)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("share", [-1.0, -0.9])
def test_stereo_in_opposite_phase_stays_audible(tmp_path, subtype, share):
    y = music()
    mixed = mix(tmp_path, y, share * y, subtype=subtype)
    np.testing.assert_allclose(mixed, (1 - share) / 2 * y, atol=0.01)
    assert decoding.length_and_peak(tmp_path / "a.wav")[1] > 0.25


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_an_offset_hides_no_opposite_phase(tmp_path, offset):
    y = music()
    assert level(mix(tmp_path, y + offset, offset - y)) > 0.9 * level(y)


def test_surround_in_opposite_phase_stays_audible(tmp_path):
    y, quiet = music(), 0.01 * music(seed=1)
    mixed = mix(tmp_path, y, -y, quiet, quiet, y, -y)
    assert level(mixed) > 0.6 * level(y)


def test_only_the_part_in_opposite_phase_is_mixed_otherwise_and_nothing_clicks(tmp_path):
    left = 0.3 * np.sin(2 * np.pi * 330 * np.arange(12 * RATE) / RATE)
    right = left.copy()
    right[CHORUS] *= -1
    mixed = mix(tmp_path, left, right)
    away = np.r_[0 : CHORUS.start, CHORUS.stop + RATE // 10 : len(left)]
    np.testing.assert_allclose(mixed[away], left[away], atol=1e-6)
    assert level(mixed[CHORUS]) > 0.95 * level(left[CHORUS])
    assert np.abs(np.diff(mixed)).max() <= 1.1 * np.abs(np.diff(left)).max()


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize(("onset", "seconds"), [(1.5, 4.0), (4.2, 1.0), (5.0, 3.0), (7.7, 3.0)])
def test_a_stretch_is_mixed_as_in_the_whole(tmp_path, suffix, onset, seconds):
    left = music()
    right = left + 0.1 * music(seed=2)
    right[CHORUS] *= -0.95
    path, rate = tmp_path / f"a.{suffix}", 44100
    soundfile.write(path, np.repeat(np.stack([left, right], axis=1), 2, axis=0), rate)
    first = round(onset * RATE)
    expected = decoding.load(path, RATE)[first : first + round(seconds * RATE)]
    np.testing.assert_allclose(decoding.load(path, RATE, onset=onset, seconds=seconds), expected, atol=1e-4)


@pytest.mark.parametrize(
    "right",
    [
        lambda y: y,
        lambda y: music(seed=1),
        lambda y: 0 * y,
        lambda y: 0.5 * y,
        lambda y: -0.5 * y,
        lambda y: np.roll(y, 20),
        lambda y: -0.6 * y + 0.3 * np.random.default_rng(3).standard_normal(len(y)),
    ],
    ids=["mono", "own noise", "one side", "panned", "half opposite", "late", "wide"],
)
def test_usual_stereo_is_the_mean_to_the_last_bit(tmp_path, right):
    left = music().astype(np.float32)
    other = right(left).astype(np.float32)
    np.testing.assert_array_equal(mix(tmp_path, left, other), np.clip((left + other) / 2, -1, 1))


def test_a_number_of_channels_that_changes_is_mixed(tmp_path):
    y = music(3)
    for name, channels in (("one.flac", 1), ("two.flac", 2)):
        soundfile.write(tmp_path / name, np.stack([y, -y][:channels], axis=1), RATE)
    both = tmp_path / "both.flac"
    both.write_bytes((tmp_path / "one.flac").read_bytes() + (tmp_path / "two.flac").read_bytes())
    mixed = decoding.load(both, RATE)
    assert len(mixed) == pytest.approx(6 * RATE, rel=0.02)
    for part in (mixed[RATE : 2 * RATE], mixed[4 * RATE : 5 * RATE]):
        assert level(part) > 0.9 * level(y)
