"""Whatever is composed can be played, is played by the class that was asked for, and follows from the seed alone."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec import scores
from instrec.synthesis import variation
from instrec.taxonomy import INSTRUMENTS

SEEDS = st.integers(0, 2**32)
SECONDS = st.sampled_from([0.2, 1.0, 3.0, 3.8, 10.0])
CLASSES = st.lists(st.sampled_from(sorted(INSTRUMENTS)), unique=True, max_size=4).map(tuple)
many = settings(max_examples=200)


def compose(seed: int, classes: tuple[str, ...], seconds: float = 3.0):
    return scores.compose(np.random.default_rng(seed), classes, seconds)


def content(score) -> list:
    return [
        (track.program, track.is_drum, *map(str, (*track.notes, *track.control_changes, *track.pitch_bends)))
        for track in score.instruments
    ]


@many
@given(SEEDS, CLASSES, SECONDS)
def test_every_class_named_has_its_track_and_sounds_within_the_clip(seed, classes, seconds):
    tracks = compose(seed, classes, seconds).instruments
    assert [track.name for track in tracks] == list(classes)
    for track in tracks:
        assert min(note.start for note in track.notes) <= 0.6 * seconds + 0.05
        for note in track.notes:
            assert 0 <= note.start < note.end
            assert 1 <= note.velocity <= 127
        assert all(0 <= change.value <= 127 and change.time >= 0 for change in track.control_changes)
        assert all(-8192 <= bend.pitch <= 8191 and bend.time >= 0 for bend in track.pitch_bends)


@many
@given(SEEDS, CLASSES, SECONDS)
def test_notes_lie_in_the_programs_range(seed, classes, seconds):
    for name, track in zip(classes, compose(seed, classes, seconds).instruments, strict=True):
        assert track.is_drum == INSTRUMENTS[name].is_drum
        low, high = (35, 59) if track.is_drum else INSTRUMENTS[name].programs[track.program]
        assert all(low <= note.pitch <= high for note in track.notes)


@many
@given(SEEDS, st.sampled_from([each for each in INSTRUMENTS.values() if each.chords == 1]), SECONDS)
def test_who_plays_one_note_at_a_time_does(seed, instrument, seconds):
    (track,) = compose(seed, (instrument.name,), seconds).instruments
    notes = sorted(track.notes, key=lambda note: note.start)
    for one, following in itertools.pairwise(notes):
        assert following.start > one.start
        # Legato, and a player's inaccuracy, let the next note begin a little early.
        assert one.end - following.start < 0.05 * (one.end - one.start) + 0.06


@many
@given(SEEDS, st.sampled_from([each for each in INSTRUMENTS.values() if each.chords > 1 and not each.is_drum]), SECONDS)
def test_chords_have_no_more_notes_than_a_player_has_hands_for(seed, instrument, seconds):
    (track,) = compose(seed, (instrument.name,), seconds).instruments
    assert max(Counter(note.start for note in track.notes).values()) <= instrument.chords


@pytest.mark.parametrize("name", [name for name, each in INSTRUMENTS.items() if each.chords > 2 and not each.is_drum])
def test_who_can_play_chords_does_now_and_then(name):
    together = 0
    for seed in range(60):
        notes = compose(seed, (name,)).instruments[0].notes
        together += any(a.start < b.end and b.start < a.end and a is not b for a in notes[:3] for b in notes[:3])
    assert 15 <= together < 60


@many
@given(SEEDS, CLASSES)
def test_the_same_seed_composes_the_same_and_another_something_else(seed, classes):
    assert content(compose(seed, classes)) == content(compose(seed, classes))
    if classes:
        assert content(compose(seed, classes)) != content(compose(seed + 1, classes))


@given(SEEDS)
def test_nobody_named_nobody_plays(seed):
    assert compose(seed, ()).instruments == []


def test_all_programs_of_a_class_are_heard():
    for name, instrument in INSTRUMENTS.items():
        programs = {compose(seed, (name,)).instruments[0].program for seed in range(80)}
        assert programs == (set(instrument.programs) or {0})


@many
@given(SEEDS, CLASSES.filter(bool))
def test_the_preroll_leaves_something_of_every_track(full_params, seed, classes):
    seconds, bounds = 3.0, full_params.synth
    rng = np.random.default_rng(seed)
    score = scores.compose(rng, classes, seconds + bounds.preroll_seconds)
    drawn = variation.draw(rng, bounds, score, classes=classes, seconds=seconds)
    start = drawn.preroll_seconds
    assert 0 <= start <= bounds.preroll_seconds
    for track in score.instruments:
        left = [min(note.end, start + seconds) - max(note.start, start) for note in track.notes]
        assert max(left) > 0.02
