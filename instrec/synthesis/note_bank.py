"""The note bank: clips from notes that FluidSynth has rendered before, much faster than FluidSynth.

A track's notes are added up, each with its envelope. Then the whole track is read at the rate that bend, detuning and
zone shift ask for, changed in level, filtered, and added to the clip.

It is FluidSynth's sound but for this: no reverb and no chorus; velocities and positions of the modulation wheel share
notes; envelopes and vibrato of the SoundFont itself run faster or slower with a zone shift; a filter of the SoundFont
that is darker than the specification's default is darkened by as much as that default. Of a score's controllers it
plays modulation wheel, volume, pan, expression and sustain pedal.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from instrec.synthesis import note_kernels
from instrec.synthesis.fluidsynth import BLOCK, DRUM_BANK, SILENCE, Synth, cast
from instrec.synthesis.note_kernels import MARGIN, TAPS
from instrec.synthesis.notes import LAYER, WHEEL_LAYER, NoteKey, Notes
from instrec.synthesis.sounding import HI_HATS, Controls, Curve, Span, by_cents, sounding_notes
from instrec.synthesis.variation import PLAIN, Performance, Voice

if TYPE_CHECKING:
    import pretty_midi

Signal = npt.NDArray[np.float32]

_CHOKED = -12.4  # nepers per second at which they do: 96 dB in -200 timecents
_FADED = -9.2  # nepers, 80 dB, after which a release is over
_CUTOFF_HZ, _HIGHEST_CUTOFF, _Q = 13500.0, 0.45, 2**-0.5  # of FluidSynth's filter; the second in sample rates
_SHORTENED = 1e-4  # of an impulse response: what is left out of it


class NoteBank:
    """One SoundFont, which renders as its `Synth` does, from whose notes."""

    def __init__(self, synth: Synth, notes: Notes) -> None:
        self._synth = synth
        self._notes = notes
        self._memory = dict.fromkeys(("source", "track"), np.zeros(0, np.float32))
        self._path = str(synth.soundfont)
        self.sample_rate = synth.sample_rate

    def render(
        self, score: pretty_midi.PrettyMIDI, seconds: float, performance: Performance = PLAIN
    ) -> npt.NDArray[np.float32]:
        """Render a score; reverb and chorus of the performance are left out.

        Returns
        -------
        np.ndarray [shape=(round(seconds * sample_rate),)]
            Mono, the mean of both channels.

        Raises
        ------
        UserError
            If the SoundFont lacks a program of the score.
        """
        performance = replace(performance, voices=tuple(self._synth.able(voice) for voice in performance.voices))
        skipped = round(performance.preroll_seconds * self.sample_rate / BLOCK)
        samples = round(seconds * self.sample_rate)
        clip = np.zeros(-(-samples // BLOCK) * BLOCK, dtype=np.float32)
        for _, track, voice in cast(score, performance):
            preset = self._synth.preset(track, voice)
            controls = Controls(track, self.sample_rate / BLOCK, skipped + len(clip) // BLOCK)
            spans = sounding_notes(track, voice, controls)
            if spans:
                groups = by_cents(spans, voice, None if track.is_drum else performance.tuning)
                self._add_track(clip, groups, voice, controls, preset)
        mono = clip[:samples]
        return mono if max(mono.max(initial=0.0), -mono.min(initial=0.0)) > SILENCE else np.zeros_like(mono)

    def _add_track(
        self, clip: Signal, groups: dict[float, list[Span]], voice: Voice, controls: Controls, preset: tuple[int, int]
    ) -> None:
        """Add a track, its notes in groups by tuning, to a clip, the last blocks of the score."""
        skipped = controls.blocks - len(clip) // BLOCK
        gains = controls.gains(voice)[skipped:]
        cents = controls.bend() + voice.detune_cents - 100.0 * voice.zone_shift
        taps = _taps(voice.brightness_cents, self.sample_rate)
        before = max(0, len(taps) - 1)
        y = self._empty("track", before + len(clip)) if before else clip
        for tuned, spans in groups.items():
            edges = _edges((cents + tuned) / 1200, controls.blocks)
            edges -= edges[skipped]
            source = self._empty("source", int(edges[-1]) + MARGIN + 8)
            end = max(self._add_note(source, span, edges, voice, controls.wheel(span.start), preset) for span in spans)
            first = max(0, min(span.start for span in spans) - skipped)
            last = min(len(gains), int(edges[skipped:].searchsorted(end)) + 1)
            sounding = slice(before + first * BLOCK, None)
            note_kernels.resample(y[sounding], source, edges[skipped + first : skipped + last], gains[first:last])
        if before:
            note_kernels.add_filtered(clip, y, taps)

    def _empty(self, name: str, samples: int) -> Signal:
        """Return zeros, in memory of the last track: new memory takes longer."""
        if len(self._memory[name]) < samples:
            self._memory[name] = np.empty(samples, np.float32)
        zeros = self._memory[name][:samples]
        zeros.fill(0)
        return zeros

    def _add_note(
        self, source: Signal, span: Span, edges: Curve, voice: Voice, wheel: int, preset: tuple[int, int]
    ) -> int:
        """Add a note to a track, whose blocks have these edges in samples of notes; return its end."""
        begin, end = float(edges[span.start]), float(edges[span.end])
        start, off = math.floor(begin + 0.5) + MARGIN, math.floor(end - begin + 0.5)
        ratio = (float(edges[span.end]) - float(edges[span.end - 1])) / BLOCK
        layers = span.velocity // LAYER, (wheel + WHEEL_LAYER // 2) // WHEEL_LAYER
        key = NoteKey(self._path, self.sample_rate, *preset, span.key, *layers)
        envelope = self._notes.envelope(self._synth, key, voice.kit)
        decay = min(envelope.decay, _CHOKED) if key.bank == DRUM_BANK and key.key in HI_HATS else envelope.decay
        decay *= 2 ** (-voice.release_timecents / 1200) / (self.sample_rate * ratio)
        samples = min(len(source) - start, off + int(_FADED / decay))
        if start + samples <= 0:
            return 0
        sound = self._notes.sound(self._synth, key, voice.kit, samples)[:samples]
        attack = envelope.attack * ratio * 2 ** (voice.attack_timecents / 1200)
        note_kernels.add_note(source, sound, start, (span.velocity / key.velocity) ** 2, attack, off, decay)
        return start + len(sound)


def _edges(octaves: Curve | float, blocks: int) -> Curve:
    """Return where blocks begin, and the last one ends, in samples of notes that sound so much higher."""
    if isinstance(octaves, float):
        return np.arange(blocks + 1, dtype=np.float64) * float(BLOCK * 2.0**octaves)
    edges = np.zeros(blocks + 1)
    np.cumsum(BLOCK * np.exp2(octaves), out=edges[1:])
    return edges


@functools.lru_cache(maxsize=1024)
def _taps(cents: float, sample_rate: int) -> Signal:
    """Return the impulse response, from its end, that moves the cut-off of FluidSynth's filter; empty if nothing moves.

    It is the filter moved, divided by the filter: their zeros are the same.
    """
    (a1, a2), (p1, p2) = (_filter(_CUTOFF_HZ * 2 ** (moved / 1200), sample_rate) for moved in (0.0, cents))
    if (a1, a2) == (p1, p2):
        return np.zeros(0, np.float32)
    count = TAPS * math.ceil(math.log(_SHORTENED) / (0.5 * math.log(p2)) / TAPS)
    scale = (1 + p1 + p2) / (1 + a1 + a2)
    x, response = [scale, scale * a1, scale * a2, *[0.0] * count], [0.0, 0.0]
    for value in x[:count]:
        response.append(value - p1 * response[-1] - p2 * response[-2])
    return np.array(response[:1:-1], np.float32)


def _filter(hz: float, sample_rate: int) -> tuple[float, float]:
    """Return the denominator's second and third coefficient of a low-pass (R. Bristow-Johnson's cookbook)."""
    angle = 2 * math.pi * min(hz / sample_rate, _HIGHEST_CUTOFF)
    alpha = math.sin(angle) / (2 * _Q)
    return -2 * math.cos(angle) / (1 + alpha), (1 - alpha) / (1 + alpha)
