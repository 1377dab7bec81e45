"""Variation of rendering, drawn as plain values; it keeps the model from memorizing SoundFonts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from instrec.params import SynthParams
from instrec.synthesis import tuning
from instrec.taxonomy import PIZZICATO, PLUCKABLE, RANGE_OF_PROGRAM, substitutes

if TYPE_CHECKING:
    import pretty_midi


@dataclass(frozen=True)
class Voice:
    """The sound of one track.

    Attributes
    ----------
    program : the program that plays the track, a substitute or pizzicato strings; None for the track's own.
    kit : draws the drum kit or patch variant where the SoundFont has several, 0..1; 0 is the plain one.
    volume, pan : MIDI controllers 7 and 10.
    detune_cents : whole track out of tune.
    zone_shift : semitones between the sample chosen and the pitch that sounds; changes the color, not the pitch.
    brightness_cents, attack_timecents, release_timecents : added to the patch's own filter and envelope.
    """

    program: int | None = None
    kit: float = 0.0
    volume: int = 100
    pan: int = 64
    detune_cents: float = 0.0
    zone_shift: int = 0
    brightness_cents: float = 0.0
    attack_timecents: float = 0.0
    release_timecents: float = 0.0


@dataclass(frozen=True)
class Performance:
    """The rendering of a clip; by default without any effect.

    Attributes
    ----------
    voices : one per track; tracks beyond them are plain.
    preroll_seconds : how much of the score's beginning is left out.
    reverb : room size, damping, width, level; None for none.
    chorus : voices, level, speed in Hz, depth in ms; None for none.
    tuning : of all melodic tracks; None for the equal temperament.
    """

    voices: tuple[Voice, ...] = ()
    preroll_seconds: float = 0.0
    reverb: tuple[float, float, float, float] | None = None
    chorus: tuple[int, float, float, float] | None = None
    tuning: tuning.Tuning | None = None


PLAIN = Performance()


def draw(
    rng: np.random.Generator,
    params: SynthParams,
    score: pretty_midi.PrettyMIDI,
    *,
    classes: Iterable[str],
    seconds: float,
) -> Performance:
    """Draw the performance of a score in a clip of `seconds`, for a model with `classes`."""
    voices = tuple(_draw_voice(rng, params, track, classes) for track in score.instruments)
    # Half a second of every track's notes must be left after the pre-roll, or all where there is less.
    ends = [[note.end for note in track.notes if note.start < seconds] for track in score.instruments]
    latest = min((max(track) for track in ends if track), default=0.0) - 0.5
    preroll = max(0.0, min(rng.uniform(-0.5, 1) * params.preroll_seconds, latest))
    reverb = (rng.uniform(0.1, 0.9), rng.uniform(0, 0.8), rng.uniform(0, 1), rng.uniform(0.2, 0.9))
    chorus = (int(rng.integers(2, 5)), rng.uniform(0.5, 2.5), rng.uniform(0.2, 1.5), rng.uniform(2, 8))
    return Performance(
        voices,
        preroll,
        reverb if rng.random() < params.reverb_probability else None,
        chorus if rng.random() < params.chorus_probability else None,
        tuning.draw(rng) if params.tuned_probability and rng.random() < params.tuned_probability else None,
    )


def _draw_voice(
    rng: np.random.Generator, params: SynthParams, track: pretty_midi.Instrument, classes: Iterable[str]
) -> Voice:
    program, shift = _draw_patch(rng, params, track, classes)
    # Darker more often than not: rooms and microphones take away what SoundFonts' close recordings have too much of.
    darker = rng.random() < 0.5
    return Voice(
        program=program,
        kit=rng.random(),
        volume=int(rng.integers(70, 128)),
        pan=int(rng.integers(24, 105)),
        detune_cents=rng.uniform(-1, 1) * params.detune_cents,
        zone_shift=shift,
        brightness_cents=-rng.uniform(0, params.brightness_cents) if darker else 0.0,
        attack_timecents=rng.uniform(-0.5, 1) * params.envelope_timecents,
        release_timecents=rng.uniform(-1, 1) * params.envelope_timecents,
    )


def _draw_patch(
    rng: np.random.Generator, params: SynthParams, track: pretty_midi.Instrument, classes: Iterable[str]
) -> tuple[int | None, int]:
    """Draw another program, None for the track's own, and the distance of its notes from the pitch that sounds."""
    shift = int(rng.integers(-params.zone_shift, params.zone_shift + 1))
    substituted = rng.random() < params.relative_probability
    pitches = [note.pitch for note in track.notes]
    if track.is_drum or not pitches:
        return None, 0
    if params.plucked_probability and track.program in PLUCKABLE and rng.random() < params.plucked_probability:
        return PIZZICATO, 0
    # SoundFonts have samples for an instrument's range, and silence beyond it.
    low, high = min(pitches), max(pitches)
    if substituted and (known := substitutes(track.program, classes)):
        substitute = known[rng.integers(len(known))]
        first, last = substitute.transposed
        first, last = max(first, substitute.pitches[0] - low), min(last, substitute.pitches[1] - high)
        if first <= last:
            return substitute.program, int(rng.integers(first, last + 1))
    lowest, highest = RANGE_OF_PROGRAM.get(track.program, (0, 127))
    return None, shift if lowest <= low + shift and high + shift <= highest else 0
