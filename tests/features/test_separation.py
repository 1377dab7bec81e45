"""What clips are taken apart into: known sounds go where they belong, and nothing is lost."""

from dataclasses import replace

import librosa.decompose as decompose
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.features import from_params
from instrec.features.separation import PARTS
from instrec.params import ClipParams
from tests.features.music_clips import CLIP, PAIRS, SCALES, SPECTROGRAM, music, sine

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
