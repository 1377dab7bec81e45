import numpy as np
import pytest

from instrec.synthesis.soundfonts import vowels

RATE = 16000


def voice(hz=200.0, seconds=2.0):
    """Twenty harmonics that begin after 0.1 s."""
    times = np.arange(round(seconds * RATE)) / RATE
    y = sum(np.cos(2 * np.pi * number * hz * times) / number for number in range(1, 21)) / 8
    return np.where(times < 0.1, 0.0, y)


def key(hz):
    return 69 + 12 * np.log2(hz / 440)


def note(y, hz=200.0):
    return vowels.note(y, RATE, key(hz), 1.0, 0.5, 0.6)


@pytest.mark.parametrize("hz", [82.3, 200.0, 471.1])
def test_a_vowel_repeats_without_a_seam(hz):
    made = note(voice(hz), hz)
    start, end = made.loop
    assert (end - start) / RATE == pytest.approx(0.6, abs=1.1 / hz)
    once = made.pcm[start:end].astype(float)
    seam = np.concatenate([once, once])[len(once) - 200 : len(once) + 200]
    assert np.abs(np.diff(seam)).max() < 1.2 * np.abs(np.diff(once)).max()
    np.testing.assert_array_equal(made.pcm[end : end + 32], made.pcm[start : start + 32])
    assert (end - start) * hz / RATE == pytest.approx(round((end - start) * hz / RATE), abs=0.05)


def test_silence_before_a_note_is_left_out():
    assert note(voice()).loop[0] / RATE == pytest.approx(0.4, abs=0.01)


def test_a_fading_vowel_is_brought_to_one_level():
    made = note(voice() * np.linspace(1.0, 0.4, 2 * RATE))
    once = made.pcm[slice(*made.loop)].astype(float)
    first, second = np.array_split(once, 2)
    assert np.std(first) == pytest.approx(np.std(second), rel=0.02)


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda y: y[: RATE // 2],
        lambda y: y[:0],
        lambda y: np.clip(3 * y, -1, 1),
        lambda y: y * np.linspace(1.0, 0.0, len(y)) ** 4,
        lambda y: np.random.default_rng(0).normal(0, 0.1, len(y)),
        lambda y: np.zeros_like(y),
        lambda y: np.full_like(y, np.nan),
    ],
    ids=["short", "empty", "clipped", "faded", "noise", "silence", "nan"],
)
def test_what_is_no_even_vowel_is_left_out(spoiled):
    assert note(spoiled(voice())) is None


def test_the_octave_has_no_odd_harmonics():
    hz, times = 200.0, np.array([0.0, 2.0])
    y = vowels.octave_higher(voice(hz), RATE, times, np.full(2, hz))
    power = np.abs(np.fft.rfft(y[RATE // 2 : 3 * RATE // 2])) ** 2
    odd, even = (sum(power[round(number * hz)] for number in numbers) for numbers in ((1, 3, 5), (2, 4, 6)))
    assert odd < 1e-4 * even
