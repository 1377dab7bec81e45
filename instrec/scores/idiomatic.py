"""Short pieces in the manner of each instrument.

The first draw is a style of playing (a single note, long notes, a melody, a run, chords, a drum pattern), as recordings
differ in style at least as much as in pitch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from instrec import taxonomy
from instrec.scores.library import pretty_midi
from instrec.taxonomy import Instrument

Onsets = list[tuple[float, float]]
"""(start, length) in seconds."""


@dataclass(frozen=True)
class _Part:
    """Parameters of a melodic track."""

    instrument: Instrument
    low: int
    high: int
    scale: tuple[int, ...]  # pitch classes

    @property
    def pitches(self) -> list[int]:
        return [pitch for pitch in range(self.low, self.high + 1) if pitch % 12 in self.scale]


_SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 8, 11),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 6, 7, 10),
    tuple(range(12)),
)
_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 4, 7, 10), (0, 3, 7, 10), (0, 5, 7), (0, 3, 6, 9), (0, 7))
_EXPRESSION, _VIBRATO = 11, 1  # MIDI controllers
_SINGLE, _SINGLE_TOGETHER = 5.0, 0.7  # weight of single sounds among the styles of playing


def compose(
    rng: np.random.Generator, classes: tuple[str, ...], seconds: float, *, together: bool = False
) -> pretty_midi.PrettyMIDI:
    """Compose a score with one track per class; without classes, an empty score.

    If `together` is set, several instruments play lines, chords and patterns much more often than single sounds, as
    they do in music.
    """
    score = pretty_midi.PrettyMIDI()
    together = together and len(classes) > 1
    beat = 60 / rng.uniform(60, 180)
    key = int(rng.integers(12))
    scale = _SCALES[rng.integers(len(_SCALES))]
    for name in classes:
        instrument = taxonomy.instrument(name)
        if instrument.is_drum:
            track = pretty_midi.Instrument(0, is_drum=True, name=name)
            track.notes = _drums(rng, beat, seconds, together)
        else:
            program = int(rng.choice(list(instrument.programs)))
            track = pretty_midi.Instrument(program, name=name)
            part = _Part(instrument, *instrument.programs[program], tuple((key + step) % 12 for step in scale))
            track.notes = _melodic(rng, part, beat, seconds, together)
            _express(rng, instrument, track, seconds)
        score.instruments.append(track)
    return score


def _melodic(
    rng: np.random.Generator, part: _Part, beat: float, seconds: float, together: bool
) -> list[pretty_midi.Note]:
    styles: list[tuple[float, Callable[[], list[pretty_midi.Note]]]] = [
        (_SINGLE_TOGETHER if together else _SINGLE, lambda: _single(rng, part, seconds)),
        (1.5, lambda: _line(rng, part, _grid(rng, (2 * beat, 4 * beat), seconds), leap=5)),
        (3.5, lambda: _line(rng, part, _grid(rng, (beat / 2, beat, beat, 2 * beat), seconds), leap=3)),
        (1.0, lambda: _line(rng, part, _grid(rng, (beat / 4, beat / 4, beat / 2), seconds), leap=1)),
        (0.6, lambda: _line(rng, part, _grid(rng, (beat / 2, beat), seconds), leap=0)),
    ]
    if part.instrument.chords >= 3:
        styles.append((4.0, lambda: _chords(rng, part, beat, seconds)))
    elif part.instrument.chords == 2:
        styles.append((0.7, lambda: _chords(rng, part, beat, seconds)))
    weights = np.array([weight for weight, _ in styles])
    return styles[rng.choice(len(styles), p=weights / weights.sum())][1]()


def _single(rng: np.random.Generator, part: _Part, seconds: float) -> list[pretty_midi.Note]:
    """One note anywhere in the range: half of them long, the others of any length from staccato on."""
    start = rng.uniform(0, 0.3 * seconds) if rng.random() < 0.65 else 0.0
    if rng.random() < 0.5:
        length = rng.uniform(0.3, 1.5) * seconds
    else:
        length = np.exp(rng.uniform(np.log(0.15), np.log(1.5 * seconds)))
    pitch = int(rng.integers(part.low, part.high + 1))
    return [_note(pitch, start, float(length), int(rng.integers(30, 128)))]


def _grid(rng: np.random.Generator, lengths: tuple[float, ...], seconds: float) -> Onsets:
    """Onsets that fill the clip, with some rests and the small inaccuracy of a player."""
    rest = rng.uniform(0, 0.3)
    articulation = rng.choice([rng.uniform(0.25, 0.6), rng.uniform(0.8, 1.0), 1.03])  # staccato, détaché, legato
    onsets: Onsets = []
    now = float(rng.choice([0.0, rng.uniform(0, min(0.5, seconds / 2))]))
    while now < seconds:
        length = float(rng.choice(lengths))
        if rng.random() > rest or not onsets:
            onsets.append((max(0.0, now + rng.normal(0, 0.008)), length * articulation))
        now += length
    return onsets


def _line(rng: np.random.Generator, part: _Part, onsets: Onsets, leap: int) -> list[pretty_midi.Note]:
    """A melody that moves along a scale by at most `leap` steps: with 1 a run, with 0 a repeated note."""
    pitches = part.pitches
    place = int(rng.integers(len(pitches)))
    direction = int(rng.choice([-1, 1]))
    velocity, notes = int(rng.integers(45, 118)), []
    for start, length in onsets:
        notes.append(_note(pitches[place], start, length, velocity + int(rng.integers(-10, 11))))
        step = direction if leap == 1 else int(rng.integers(-leap, leap + 1))
        if not 0 <= place + step < len(pitches):
            step, direction = -step, -direction
        place = min(len(pitches) - 1, max(0, place + step))
    return notes


def _chords(rng: np.random.Generator, part: _Part, beat: float, seconds: float) -> list[pretty_midi.Note]:
    """Chords, struck together, strummed, or broken into an accompaniment."""
    lengths = ((4 * beat,), (2 * beat,), (beat,), (beat / 2, beat))[rng.integers(4)]
    broken = rng.random() < 0.35
    strum = 0.0 if part.instrument.sustained else float(rng.choice([0.0, rng.uniform(0.005, 0.04)]))
    low = int(rng.integers(part.low, part.high - 19))
    velocity, notes = int(rng.integers(45, 115)), []
    for start, length in _grid(rng, lengths, seconds):
        root = low + (int(rng.choice(part.scale)) - low) % 12
        chord = _voicing(rng, part, root)
        gap = length / len(chord) if broken else strum
        for number, pitch in enumerate(chord):
            lasts = gap * 1.2 if broken else length - number * gap
            notes.append(_note(pitch, start + number * gap, lasts, velocity + int(rng.integers(-10, 11))))
    return notes


def _voicing(rng: np.random.Generator, part: _Part, root: int) -> list[int]:
    intervals = np.array(_CHORDS[rng.integers(len(_CHORDS))])
    tones = root + np.concatenate([intervals, intervals + 12, intervals + 24])
    tones = tones[tones <= part.high]
    size = int(rng.integers(2, part.instrument.chords + 1))
    start = int(rng.integers(0, 3))
    return sorted({int(tone) for tone in tones[start : start + size]}) or [root]


def _note(pitch: int, start: float, length: float, velocity: int) -> pretty_midi.Note:
    return pretty_midi.Note(min(127, max(1, velocity)), pitch, start, start + max(0.03, length))


def _express(rng: np.random.Generator, instrument: Instrument, track: pretty_midi.Instrument, seconds: float) -> None:
    """Swells and vibrato on held notes, and bends of hands or breath."""
    if instrument.sustained and instrument.name != "organ":
        if rng.random() < 0.5:
            first, last = rng.integers(40, 128, size=2)
            times = np.linspace(0, seconds, 24)
            levels = np.clip(
                np.linspace(first, last, 24) + 25 * np.sin(2 * np.pi * rng.uniform(0.1, 1) * times), 20, 127
            )
            track.control_changes += [
                pretty_midi.ControlChange(_EXPRESSION, int(level), float(time))
                for level, time in zip(levels, times, strict=True)
            ]
        if rng.random() < 0.15:
            track.control_changes.append(pretty_midi.ControlChange(_VIBRATO, int(rng.integers(20, 128)), 0.0))
        elif rng.random() < 0.7:
            track.pitch_bends = _contour(rng, track.notes, seconds, slides=instrument.name in _SLIDING)
    elif instrument.name == "electric_guitar" and rng.random() < 0.3:
        track.pitch_bends = _contour(rng, track.notes, seconds, slides=True)


_SLIDING = ("saxophone", "voice", "violin", "trumpet", "cello", "clarinet")
_BEND_SECONDS, _BENDS_PER_CENT = 0.02, 8192 / 200  # a SoundFont's wheel goes two semitones either way


def _contour(
    rng: np.random.Generator, notes: list[pretty_midi.Note], seconds: float, *, slides: bool
) -> list[pretty_midi.PitchBend]:
    """Draw the movement of pitch within notes: late and slightly uneven vibrato, drift, slides."""
    times = np.arange(0, seconds, _BEND_SECONDS)
    since = np.full(len(times), seconds)
    for note in notes:
        after = times >= note.start
        since[after] = np.minimum(since[after], times[after] - note.start)
    rate = rng.uniform(4.2, 7.2) * (1 + 0.08 * np.sin(2 * np.pi * rng.uniform(0.2, 1.0) * times))
    depth = float(rng.choice([0.0, np.exp(rng.uniform(np.log(4), np.log(70)))], p=[0.5, 0.5]))
    late, grows = rng.uniform(0, 0.5), rng.uniform(0.1, 0.6)
    vibrato = depth * np.clip((since - late) / grows, 0, 1) * np.sin(2 * np.pi * np.cumsum(rate) * _BEND_SECONDS)
    drift = rng.uniform(0, 12) * np.sin(2 * np.pi * rng.uniform(0.15, 0.8) * times + rng.uniform(0, 2 * np.pi))
    slide = rng.uniform(-90, 25) * np.exp(-since / rng.uniform(0.02, 0.08)) if slides and rng.random() < 0.5 else 0.0
    bends = np.clip(np.round((vibrato + drift + slide) * _BENDS_PER_CENT), -8192, 8191)
    return [pretty_midi.PitchBend(int(bend), float(time)) for bend, time in zip(bends, times, strict=True)]


# General MIDI percussion keys.
_KICKS, _SNARES, _CLOSED, _OPEN = (35, 36), (38, 40), (42, 44), (46,)
_TOMS, _CYMBALS, _RIDES = (41, 43, 45, 47, 48, 50), (49, 52, 55, 57), (51, 53, 59)
_OTHERS = (37, 39, 54, 56)  # side stick, clap, tambourine, cowbell
STROKES = (_KICKS, _KICKS, _SNARES, _SNARES, _CLOSED, _CLOSED, _OPEN, _TOMS, _CYMBALS, _RIDES, _OTHERS)


def _drums(rng: np.random.Generator, beat: float, seconds: float, together: bool) -> list[pretty_midi.Note]:
    styles = [*([] if together else [_hits, _hits]), _pattern, _pattern, _fill]
    return styles[rng.integers(len(styles))](rng, beat, seconds)


def _hit(rng: np.random.Generator, keys: tuple[int, ...], time: float, velocity: int) -> pretty_midi.Note:
    return _note(
        int(rng.choice(keys)), max(0.0, time + rng.normal(0, 0.006)), 0.3, velocity + int(rng.integers(-12, 13))
    )


def _hits(rng: np.random.Generator, beat: float, seconds: float) -> list[pretty_midi.Note]:
    """One to four strokes on one drum, like recordings of single sounds."""
    keys = (int(rng.choice(STROKES[rng.integers(len(STROKES))])),)
    times = np.sort(rng.uniform(0, 0.6 * seconds, size=int(rng.choice([1, 1, 1, 2, 4]))))
    return [_hit(rng, keys, float(time), int(rng.integers(40, 120))) for time in times]


def _pattern(rng: np.random.Generator, beat: float, seconds: float) -> list[pretty_midi.Note]:
    """Kick and snare with a hi-hat or ride; any of the three may be missing."""
    parts = rng.random(3) < (0.85, 0.85, 0.85)
    if not parts.any():
        parts[rng.integers(3)] = True
    pulse = beat / float(rng.choice([1, 2, 2, 4]))
    cymbal = (_CLOSED, _CLOSED, _RIDES, _OPEN)[rng.integers(4)]
    notes = []
    for step in range(int(seconds / pulse) + 1):
        time, quarter = step * pulse, step * pulse / beat
        if parts[0] and (quarter % 2 < 1e-6 or rng.random() < 0.12):
            notes.append(_hit(rng, _KICKS, time, 105))
        if parts[1] and (abs(quarter % 2 - 1) < 1e-6 or rng.random() < 0.06):
            notes.append(_hit(rng, _SNARES, time, 100))
        if parts[2] and rng.random() < 0.93:
            notes.append(_hit(rng, cymbal, time, 75))
    return notes or [_hit(rng, _KICKS, 0.0, 100)]


def _fill(rng: np.random.Generator, beat: float, seconds: float) -> list[pretty_midi.Note]:
    """Fast strokes that move over snare and toms, with a cymbal at the end."""
    times = np.arange(0, seconds * rng.uniform(0.4, 0.9), beat / float(rng.choice([2, 4])))
    notes = [_hit(rng, _TOMS if rng.random() < 0.6 else _SNARES, float(time), 95) for time in times]
    return [*notes, _hit(rng, _CYMBALS, float(times[-1] + beat / 2), 110)]
