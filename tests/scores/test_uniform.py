"""Sethi's scores, to the number: one bar, full, without overlap, a track per instrument."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec import scores
from instrec.taxonomy import INSTRUMENTS, PROGRAMS, instrument

SEEDS = st.integers(0, 2**32)
SECONDS = st.sampled_from([0.5, 1.0, 2.0, 3.0, 10.0])
CLASSES = st.lists(st.sampled_from(sorted({*INSTRUMENTS, *PROGRAMS})), unique=True, max_size=3).map(tuple)
many = settings(max_examples=200)


def compose(seed: int, classes: tuple[str, ...], seconds: float = 2.0):
    return scores.STYLES["uniform"](np.random.default_rng(seed), classes, seconds)


@many
@given(SEEDS, CLASSES, SECONDS)
def test_every_class_named_has_a_track_of_its_own_program(seed, classes, seconds):
    tracks = compose(seed, classes, seconds).instruments
    assert [track.name for track in tracks] == list(classes)
    for name, track in zip(classes, tracks, strict=True):
        assert track.is_drum == instrument(name).is_drum
        assert track.is_drum or track.program in instrument(name).programs


@many
@given(SEEDS, CLASSES, SECONDS)
def test_notes_fill_the_bar_one_after_the_other(seed, classes, seconds):
    for track in compose(seed, classes, seconds).instruments:
        assert (track.notes[0].start, track.notes[-1].end) == (0.0, pytest.approx(seconds))
        for one, following in itertools.pairwise(track.notes):
            assert one.end == following.start
        for note in track.notes:
            assert seconds / 16 - 1e-9 <= note.end - note.start <= seconds / 4 + 1e-9


def test_a_bar_of_two_seconds_has_120_beats_a_minute():
    for seconds, tempo in ((2.0, 120.0), (3.0, 80.0)):
        assert compose(0, ("piano",), seconds).get_tempo_changes()[1] == pytest.approx([tempo])


def test_pitches_are_uniform_over_the_same_five_octaves_for_all():
    for name, low, high in (("flute", 24, 84), ("gm_000", 24, 84), ("electric_bass", 24, 84), ("drums", 35, 81)):
        pitches = Counter(note.pitch for seed in range(1500) for note in compose(seed, (name,)).instruments[0].notes)
        assert (min(pitches), max(pitches), len(pitches)) == (low, high, high - low + 1)
        expected = pitches.total() / len(pitches)
        assert max(abs(count - expected) for count in pitches.values()) < 5 * expected**0.5  # 5 sigma


def test_all_lengths_and_all_programs_of_a_class_come_up():
    tracks = [compose(seed, ("saxophone",)).instruments[0] for seed in range(100)]
    assert {round(16 * (note.end - note.start) / 2) for track in tracks for note in track.notes} == {1, 2, 4}
    assert {track.program for track in tracks} == set(INSTRUMENTS["saxophone"].programs)


@given(SEEDS)
def test_the_same_seed_composes_the_same_and_nobody_named_nobody_plays(seed):
    one, again, other = (str(compose(number, ("violin",)).instruments[0].notes) for number in (seed, seed, seed + 1))
    assert one == again != other
    assert compose(seed, ()).instruments == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_general_midi_program_is_heard(synth, name):
    assert np.abs(synth.render(compose(0, (name,)), 2.0)).max() > 1e-3
