"""What clips are taken apart into: known sounds go where they belong, and nothing is lost."""

from dataclasses import replace
from typing import get_args

import librosa.decompose as decompose
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.audio import separation
from instrec.audio.separation import PARTS
from instrec.features import from_params
from instrec.params import ClipParams
from instrec.params_schema import Part
from tests.features.music_clips import CLIP, PAIRS, PAIRS_OF_FILE, SCALES, SPECTROGRAM, music, sine

LONG = ClipParams(CLIP.sample_rate, 3.0)
ACROSS = {pair: from_params(CLIP, replace(SPECTROGRAM, part=pair)) for pair in PAIRS}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("pair", PAIRS)
def test_a_part_alone_is_its_channel_of_the_pair(pair, scale):
    """So both are scaled by the loudest point of the whole clip."""
    spectrogram = replace(SPECTROGRAM, scale=scale)
    both = from_params(CLIP, replace(spectrogram, part=pair))(music())
    for channel, part in enumerate(pair.split("_")):
        assert np.array_equal(from_params(CLIP, replace(spectrogram, part=part))(music())[..., 0], both[..., channel])


@pytest.mark.parametrize("pair", PAIRS)
@settings(max_examples=30)
@given(bins=st.integers(1, 80), frames=st.integers(1, 60), seed=st.integers(0, 99))
def test_both_parts_add_up_to_the_clip(pair, bins, frames, seed):
    magnitude = np.random.default_rng(seed).exponential(size=(bins, frames)).astype(np.float32)
    parts = PARTS[pair].separate(magnitude, 0.05)
    assert all((part >= 0).all() for part in parts)
    np.testing.assert_allclose(sum(parts), magnitude, rtol=1e-5)


@settings(max_examples=15)
@given(bins=st.integers(5, 80), frames=st.integers(5, 60), seed=st.integers(0, 99))
def test_harmonic_and_percussive_are_librosas(bins, frames, seed):
    magnitude = np.random.default_rng(seed).exponential(size=(bins, frames)).astype(np.float32)
    ours, theirs = PARTS["harmonic_percussive"].separate(magnitude, 0.05), decompose.hpss(magnitude)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


@settings(max_examples=10)
@given(hertz=st.floats(100, 8000))
def test_a_steady_tone_is_harmonic(hertz):
    harmonic, percussive = np.moveaxis(ACROSS["harmonic_percussive"](sine(hertz))[4:-4], -1, 0)
    band = harmonic.mean(axis=0).argmax()
    assert harmonic[:, band].min() > 0.95
    assert harmonic[:, band].min() > percussive[:, band].max() + 0.3


@settings(max_examples=10)
@given(period=st.integers(1500, 3000), first=st.integers(100, 1400))
def test_clicks_are_percussive(period, first):
    clicks = np.zeros(CLIP.samples, np.float32)
    clicks[first::period] = 1
    harmonic, percussive = np.moveaxis(ACROSS["harmonic_percussive"](clicks), -1, 0)
    struck = percussive.max(axis=1) > 0.9
    assert 3 <= struck.sum() < len(struck)
    assert percussive[struck].mean() > harmonic[struck].mean() + 0.1


@pytest.mark.parametrize("beat", [0.25, 0.4, 0.6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_repeats_accompanies_and_what_sounds_once_is_the_solo(beat, seed):
    rng, rate = np.random.default_rng(seed), LONG.sample_rate
    t = np.arange(round(beat * rate)) / rate
    loop = rng.standard_normal(len(t)) * np.exp(-20 * t) + sine(rng.uniform(200, 400), len(t))
    y = 0.2 * np.resize(loop, LONG.samples)
    solo_start, solo_length = round(rng.uniform(0.5, 2) * rate), round(0.4 * rate)
    lead = np.zeros(LONG.samples)
    lead[solo_start : solo_start + solo_length] = 0.5 * sine(rng.uniform(1500, 4000), solo_length)
    spectrogram = replace(SPECTROGRAM, part="solo_accompaniment")
    whole = from_params(LONG, SPECTROGRAM)
    led, accompanied = (whole(part.astype(np.float32))[..., 0] > 0.8 for part in (lead, y))
    solo, accompaniment = np.moveaxis(from_params(LONG, spectrogram)((y + lead).astype(np.float32)), -1, 0)
    assert (solo > accompaniment)[led].mean() > 0.95
    assert (accompaniment > solo)[accompanied & ~led].mean() > 0.95


def test_every_part_of_a_file_is_a_part_of_a_clip_too():
    assert {*PARTS, *separation.OF_FILE} == set(get_args(Part))
    assert set(separation.OF_FILE.values()) == PARTS.keys() - {"whole"}


@pytest.mark.parametrize("pair", PAIRS)
def test_parts_of_a_file_add_up_to_it_alone_and_as_a_pair(pair):
    y = music(30000)
    both = separation.of_file(y, CLIP.sample_rate, pair)
    assert both.shape == (len(y), 2)
    np.testing.assert_allclose(separation.whole(both), y, atol=1e-5)
    for channel, part in enumerate(pair.split("_")):
        assert np.array_equal(separation.of_file(y, CLIP.sample_rate, part), both[:, channel])


@pytest.mark.parametrize("samples", [0, 1, 700, 2048])
def test_a_file_of_a_moment_or_of_silence_has_parts_too(samples):
    for name, part in separation.OF_FILE.items():
        shape = (samples, *separation.axis_of(name))
        assert separation.of_file(music(samples), CLIP.sample_rate, part).shape == shape
        assert not separation.of_file(np.zeros(samples, np.float32), CLIP.sample_rate, part).any()


@pytest.mark.parametrize("part", ["harmonic", "harmonic_percussive"])
def test_a_long_file_is_separated_in_blocks(part):
    size = separation.BLOCK_SECONDS * 1000
    y = np.random.default_rng(0).standard_normal(size + 9000).astype(np.float32)
    separated = separation.of_file(y, 1000, part)
    for block in (slice(None, size), slice(size, None)):
        assert np.array_equal(separated[block], separation.of_file(y[block], 1000, part))


@settings(max_examples=5)
@given(seed=st.integers(0, 99), solo_hertz=st.floats(1500, 3000), start=st.floats(2, 6))
def test_in_a_whole_file_more_of_what_repeats_is_taken_away_than_in_a_clip(seed, solo_hertz, start):
    """A loop of 1.3 s, of which a clip of a second has no second one, under a note that comes once."""
    rng, rate = np.random.default_rng(seed), LONG.sample_rate
    hertz = rng.permutation([220, 277, 330, 415, 494])[:3]
    loop = np.concatenate([np.exp(-6 * np.arange(9555) / rate) * sine(each, 9555) for each in hertz])
    y = 0.5 * np.resize(loop, 8 * rate) + 1e-3 * rng.standard_normal(8 * rate)
    clip = slice(round(start * rate), round(start * rate) + rate)
    lead = np.zeros(8 * rate)
    lead[clip] = 0.3 * sine(solo_hertz, rate)
    mixed = (y + lead).astype(np.float32)
    of_file = separation.of_file(mixed, rate, "solo_accompaniment")[clip]
    of_clip = separation.of_file(mixed[clip], rate, "solo_accompaniment")
    for channel, alone in enumerate((lead[clip], y[clip])):
        left = [np.square(pair[:, channel] - alone).mean() for pair in (of_file, of_clip)]
        assert left[0] < 0.5 * left[1]


def test_clips_of_one_part_of_a_file_are_wholes():
    for part in separation.OF_FILE:
        if not separation.axis_of(part):
            computed = from_params(CLIP, replace(SPECTROGRAM, part=part))(music())
            assert np.array_equal(computed, from_params(CLIP, SPECTROGRAM)(music()))


@pytest.mark.parametrize("pair", PAIRS_OF_FILE)
def test_parts_of_a_file_are_scaled_by_their_sum(pair):
    """So their relative loudness stays."""
    shares = np.float32([0.9, 0.1])
    y, spectrogram = music(), replace(SPECTROGRAM, part=pair)
    channels = from_params(CLIP, spectrogram)(y[:, np.newaxis] * shares)
    whole = from_params(CLIP, SPECTROGRAM)(y)
    expected = np.maximum(whole + 20 * np.log10(shares) / SPECTROGRAM.floor_db, 0)
    np.testing.assert_allclose(channels[whole[..., 0] > 0], expected[whole[..., 0] > 0], atol=1e-3)
