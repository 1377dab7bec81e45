"""Clips are cut from parts of whole files where `spectrogram.part` is one of a file."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from instrec.audio import separation
from instrec.corpus.manifest import NOISY, RECORDING
from instrec.synthesis import writing
from instrec.synthesis.rendering import Renderer
from instrec.util import hdf5
from tests.synthesis.rendering.clips import CLIP, PEAK, RATE

BLOCK = separation.BLOCK_SECONDS


def renderer(part: str, small_params, data) -> Renderer:
    spectrogram = replace(small_params.spectrogram, part=part)
    return Renderer(replace(small_params, spectrogram=spectrogram), data)


@pytest.fixture
def of_solo(small_params, data) -> Renderer:
    return renderer("solo_of_file", small_params, data)


def leveled(y: np.ndarray) -> np.ndarray:
    return np.round(y * (PEAK / np.abs(y).max())).astype(int)


@pytest.fixture
def recording(tmp_path):
    """33 s of chords that come again, and of notes that do not."""
    rng = np.random.default_rng(5)
    t = np.arange(33 * RATE) / RATE
    chords = np.exp(-3 * (t % 0.8)) * sum(np.sin(2 * np.pi * hertz * t) for hertz in (196, 247))
    lead = np.sin(2 * np.pi * np.cumsum(rng.uniform(400, 1500, 66).repeat(RATE // 2)) / RATE)
    y = (0.1 * chords + 0.1 * lead).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", y, RATE, subtype="FLOAT")
    return replace(CLIP, source=RECORDING, path=str(tmp_path / "a.wav"), soundfont=""), y


@pytest.mark.parametrize("onset", [0.0, 2.5, BLOCK - 0.5, BLOCK + 1.0, 32.5])
def test_a_recording_is_separated_before_it_is_cut(of_solo, recording, onset):
    """Also where a clip reaches from one block into the next, or beyond the end."""
    clip, y = recording
    separated = np.pad(separation.of_file(y, RATE, "solo"), (0, RATE))
    start = round(onset * RATE)
    given = of_solo(replace(clip, onset=onset))
    assert len(given) == RATE
    assert np.abs(given - leveled(separated[start : start + RATE])).max() <= 1


def test_the_sound_itself_is_cut_where_clips_are_separated(small_params, data, recording):
    clip, y = recording
    given = renderer("solo", small_params, data)(replace(clip, onset=2.0))
    assert np.abs(given - leveled(y[2 * RATE : 3 * RATE])).max() <= 1


def test_windows_of_an_excerpt_are_cut_from_one_separation(of_solo, data):
    excerpt = replace(CLIP, split="unseen_excerpts", path=str(data / "excerpt/000-piano.mid"), labels=("piano",))
    y, _ = of_solo.excerpt(excerpt)
    separated = separation.of_file(y, RATE, "solo")
    for onset in (0.0, 0.5, 1.5):
        start = round(onset * RATE)
        given = of_solo(replace(excerpt, onset=onset))
        assert np.abs(given - leveled(separated[start : start + RATE])).max() <= 1


def test_a_stretch_of_a_midi_file_has_what_is_around_it(of_solo, data):
    clip = replace(CLIP, path=str(data / "excerpt/000-piano.mid"), labels=("piano",), onset=1.5)
    y, start = of_solo.cut(clip)
    assert (start, len(y)) == (round(1.5 * RATE), round(5.5 * RATE))
    assert np.abs(y[:start]).max() > 0.01


def test_a_composed_clip_is_cut_from_a_longer_score(of_solo):
    whole, start = of_solo.composed(CLIP)
    assert len(whole) == 4 * RATE
    given = of_solo(CLIP)
    assert np.abs(given - leveled(separation.of_file(whole, RATE, "solo")[start : start + RATE])).max() <= 1
    assert not np.array_equal(given, of_solo(replace(CLIP, noise=NOISY)))
    assert np.array_equal(given, of_solo(CLIP))


@pytest.mark.parametrize("pair", ["harmonic_percussive", "solo_accompaniment"])
def test_a_clip_of_a_pair_has_both_parts_and_their_sum(small_params, data, recording, pair, tmp_path):
    """At one level: the loudest of the parts and of their sum is the peak, so that nothing clips."""
    clip, y = recording
    clip, cut = replace(clip, onset=2.5), slice(round(2.5 * RATE), round(3.5 * RATE))
    parts = np.stack([separation.of_file(y, RATE, part)[cut] for part in pair.split("_")], axis=1)
    level = PEAK / max(np.abs(parts).max(), np.abs(y[cut]).max())
    render = renderer(f"{pair}_of_file", small_params, data)
    writing.write(tmp_path / "audio.h5", [clip], render)
    with hdf5.open_store(tmp_path / "audio.h5") as store:
        assert (store.shape, store.dtype) == ((RATE, 2), np.int16)
        (given,) = store.read(0, 1).astype(int)
    assert np.abs(given - level * parts).max() <= 1
    assert np.abs(given.sum(axis=1) - level * y[cut]).max() <= 2
    assert np.array_equal(given, render(clip))


def test_a_pair_of_a_composed_clip_is_cut_from_a_longer_score(small_params, data):
    render = renderer("harmonic_percussive_of_file", small_params, data)
    whole, start = render.composed(CLIP)
    parts = separation.of_file(whole, RATE, "harmonic_percussive")[start : start + RATE]
    assert parts.shape == (RATE, 2)
    level = PEAK / max(np.abs(parts).max(), np.abs(whole[start : start + RATE]).max())
    assert np.abs(render(CLIP) - level * parts).max() <= 1
