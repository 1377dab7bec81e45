"""Random notes that fill a bar, for any instrument.

Source: Sethi, Weninger, Hindle, Bulitko, Frishkopf, "Training deep convolutional networks with unlimited synthesis of
musical examples for multiple instrument recognition" (2018): 120 beats per minute, one bar of two seconds, one track
per instrument, with consecutive notes of a sixteenth to a quarter of the clip.
"""

from __future__ import annotations

import numpy as np

from instrec import taxonomy
from instrec.scores.library import pretty_midi

_PITCHES = (24, 84)  # lowest and highest
_STROKES = (35, 81)  # General MIDI's percussion keys
_STEPS = 16  # of the bar
_LENGTHS = (1, 2, 4)  # steps: sixteenth, eighth, quarter
_VELOCITY = 100


def compose(rng: np.random.Generator, classes: tuple[str, ...], seconds: float) -> pretty_midi.PrettyMIDI:
    """Compose one bar of `seconds` with one track per class; without classes, an empty score."""
    score = pretty_midi.PrettyMIDI(initial_tempo=60 * 4 / seconds)
    for name in classes:
        instrument = taxonomy.instrument(name)
        program = 0 if instrument.is_drum else int(rng.choice(list(instrument.programs)))
        track = pretty_midi.Instrument(program, is_drum=instrument.is_drum, name=name)
        track.notes = _notes(rng, _STROKES if instrument.is_drum else _PITCHES, seconds / _STEPS)
        score.instruments.append(track)
    return score


def _notes(rng: np.random.Generator, pitches: tuple[int, int], step: float) -> list[pretty_midi.Note]:
    """Consecutive notes without rests that end with the bar."""
    low, high = pitches
    place, notes = 0, []
    while place < _STEPS:
        length = int(rng.choice([length for length in _LENGTHS if place + length <= _STEPS]))
        pitch = int(rng.integers(low, high + 1))
        notes.append(pretty_midi.Note(_VELOCITY, pitch, place * step, (place + length) * step))
        place += length
    return notes
