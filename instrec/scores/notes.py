"""Single notes, as collections of recorded notes hold them: one note of an instrument, at any dynamic, short or long.

Sources: Philharmonia's samples (Yun and Bi), with notes of a quarter of a second to long ones, from pianissimo to
fortissimo; a commercial library of orchestral notes (the bachelor thesis), whose ranges of seven instruments are below.
"""

from __future__ import annotations

import numpy as np

from instrec import taxonomy
from instrec.scores.idiomatic import STROKES
from instrec.scores.library import pretty_midi

_PIANISSIMO, _FORTISSIMO = 33, 112  # velocities, sixteen for each step from pp to ff
_ARTICULATIONS = ((0.1, 0.25), (0.5, 1.5), (2.0, 4.0))  # shortest and longest in seconds: staccato, tenuto, long
_LATEST_SHARE = 0.1  # of the seconds, until the note begins: files of notes begin with little silence
_RANGES = {  # of programs, as the thesis gives them for instruments; wider than the compass of amateurs
    40: (55, 104),  # violin, G3-G#7
    42: (36, 85),  # cello, C2-C#6
    32: (28, 64),  # double bass, plucked and bowed, E1-E4
    43: (28, 64),
    73: (60, 98),  # flute, C4-D7
    68: (58, 91),  # oboe, A#3-G6
    56: (54, 80),  # trumpet, F#3-G#5
    58: (29, 65),  # tuba, F1-F4
}


def compose(rng: np.random.Generator, classes: tuple[str, ...], seconds: float) -> pretty_midi.PrettyMIDI:
    """Compose one note per class, each on a track of its own; several begin at once. Without classes, an empty score.

    Parameters
    ----------
    seconds : of the clip; a note begins in their first tenth, and may last longer than they do.
    """
    score = pretty_midi.PrettyMIDI()
    start = rng.uniform(0, _LATEST_SHARE) * seconds
    for name in classes:
        instrument = taxonomy.instrument(name)
        if instrument.is_drum:
            track = pretty_midi.Instrument(0, is_drum=True, name=name)
            pitch = int(rng.choice(STROKES[rng.integers(len(STROKES))]))
        else:
            program = int(rng.choice(list(instrument.programs)))
            track = pretty_midi.Instrument(program, name=name)
            low, high = _RANGES.get(program, instrument.programs[program])
            pitch = int(rng.integers(low, high + 1))
        length = rng.uniform(*_ARTICULATIONS[rng.integers(len(_ARTICULATIONS))])
        velocity = int(rng.integers(_PIANISSIMO, _FORTISSIMO + 1))
        track.notes = [pretty_midi.Note(velocity, pitch, start, start + length)]
        score.instruments.append(track)
    return score
