"""A single note of an instrument: where it lies, how long and how loud it is."""

from collections import Counter

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec import scores
from instrec.taxonomy import INSTRUMENTS, PROGRAMS, instrument

SEEDS = st.integers(0, 2**32)
SECONDS = st.sampled_from([0.2, 1.0, 3.0, 10.0])
CLASSES = st.lists(st.sampled_from(sorted({*INSTRUMENTS, *PROGRAMS})), unique=True, max_size=3).map(tuple)
THESIS = {
    "violin": ("G3", "G#7"),
    "cello": ("C2", "C#6"),
    "double_bass": ("E1", "E4"),
    "flute": ("C4", "D7"),
    "oboe": ("A#3", "G6"),
    "trumpet": ("F#3", "G#5"),
    "tuba": ("F1", "F4"),
}
many = settings(max_examples=200)


def compose(seed: int, classes: tuple[str, ...], seconds: float = 3.0):
    return scores.STYLES["notes"](np.random.default_rng(seed), classes, seconds)


def notes(name: str, count: int) -> list[pretty_midi.Note]:
    return [compose(seed, (name,)).instruments[0].notes[0] for seed in range(count)]


@many
@given(SEEDS, CLASSES, SECONDS)
def test_every_class_plays_one_note_and_all_begin_at_once(seed, classes, seconds):
    tracks = compose(seed, classes, seconds).instruments
    assert [track.name for track in tracks] == list(classes)
    assert [len(track.notes) for track in tracks] == [1] * len(classes)
    assert len({track.notes[0].start for track in tracks}) == min(1, len(classes))
    for track in tracks:
        assert track.is_drum == instrument(track.name).is_drum
        assert track.is_drum or track.program in instrument(track.name).programs
        assert 0 <= track.notes[0].start <= 0.1 * seconds
        assert not (track.control_changes or track.pitch_bends)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_pitches_are_all_those_of_the_instrument(name):
    own = instrument(name)
    low = min((low for low, _ in own.programs.values()), default=35)
    high = max((high for _, high in own.programs.values()), default=59)
    if name in THESIS:
        low, high = map(pretty_midi.note_name_to_number, THESIS[name])
    pitches = {note.pitch for note in notes(name, 1000)}
    assert pitches <= set(range(low, high + 1))
    assert own.is_drum or len(pitches) > 0.95 * (high - low + 1)


@pytest.mark.parametrize("name", THESIS)
def test_a_program_has_the_range_of_its_instrument(name):
    for program in instrument(name).programs:
        pitches = {note.pitch for note in notes(f"gm_{program:03}", 1000)}
        low, high = map(pretty_midi.note_name_to_number, THESIS[name])
        assert (min(pitches), max(pitches)) == (low, high)


@pytest.mark.parametrize("name", ["violin", "piano", "drums"])
def test_notes_are_short_or_long_and_soft_or_loud(name):
    drawn = notes(name, 900)
    lengths = [note.end - note.start for note in drawn]
    bounds = (0.1, 0.25), (0.5, 1.5), (2.0, 4.0)
    counts = Counter(next(pair for pair in bounds if pair[0] <= length + 1e-9 <= pair[1] + 2e-9) for length in lengths)
    assert all(counts[pair] > 240 for pair in bounds)
    velocities = [note.velocity for note in drawn]
    assert 33 <= min(velocities) < 40
    assert 105 < max(velocities) <= 112


@given(SEEDS)
def test_the_same_seed_composes_the_same_and_nobody_named_nobody_plays(seed):
    one, again, other = (str(compose(number, ("violin",)).instruments[0].notes) for number in (seed, seed, seed + 1))
    assert one == again != other
    assert compose(seed, ()).instruments == []


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_lowest_and_the_highest_note_of_every_class_are_heard(synth, name):
    drawn = [compose(seed, (name,)) for seed in range(60)]
    drawn.sort(key=lambda score: score.instruments[0].notes[0].pitch)
    for score in (drawn[0], drawn[-1]):
        assert np.abs(synth.render(score, 1.0)).max() > 1e-4
