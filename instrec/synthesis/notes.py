"""Single notes of SoundFonts, rendered once by FluidSynth and kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pretty_midi

from instrec.synthesis.fluidsynth import BLOCK, DRUM_BANK, SILENCE, Synth
from instrec.synthesis.variation import Performance, Voice

LAYER = 16  # velocities that share a note
WHEEL, WHEEL_LAYER = 1, 32  # the modulation wheel's controller, and positions of it that share a note

_SHORTEST_SECONDS = 0.5  # that are rendered of a note; it is rendered again, twice as long, where that is too little
_INSTANT = -12000.0  # timecents: a thousandth of a patch's own attack
_MEASURED_LAYER = 5  # mezzoforte
_OFF_BLOCKS, _MEASURED_BLOCKS = 80, 240  # of the note on which attack and release are measured: until its end, in all
_AUDIBLE, _FADED = 0.7, 0.003  # levels between which a release is measured
_SLOWEST, _FASTEST = -0.5, -2000.0  # of releases; nepers per second

Signal = npt.NDArray[np.float32]


class NoteKey(NamedTuple):
    """What a note's sound depends on.

    Attributes
    ----------
    soundfont : its path.
    bank, program : the preset.
    key : a MIDI key.
    layer : the velocity, divided by LAYER.
    wheel : the modulation wheel's position, divided by WHEEL_LAYER.
    """

    soundfont: str
    sample_rate: int
    bank: int
    program: int
    key: int
    layer: int
    wheel: int

    @property
    def velocity(self) -> int:
        """The velocity that the whole layer is rendered with."""
        return self.layer * LAYER + LAYER // 2


class Envelope(NamedTuple):
    """How a patch lets a note rise and fade.

    Attributes
    ----------
    attack : samples in which the note rises.
    decay : change of the amplitude's natural logarithm per second in the release; negative.
    """

    attack: float
    decay: float


class Notes:
    """Notes in memory, up to a number of bytes; the one used longest ago makes room.

    A note's sound depends on its key alone: what is rendered again, longer, begins with the same samples.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._sounds: OrderedDict[NoteKey, tuple[Signal, int]] = OrderedDict()  # with the samples rendered
        self._envelopes: dict[tuple[str | int, ...], Envelope] = {}

    def envelope(self, synth: Synth, key: NoteKey, kit: float) -> Envelope:
        """Return the envelope of a note, which is measured at one velocity.

        Parameters
        ----------
        synth : has the SoundFont of the key.
        kit : draws the drum kit of the key.
        """
        patch = key[:5]
        found = self._envelopes.get(patch)
        if found is None:
            found = self._envelopes[patch] = _measured(synth, NoteKey(*patch, layer=_MEASURED_LAYER, wheel=0), kit)
        return found

    def sound(self, synth: Synth, key: NoteKey, kit: float, samples: int) -> Signal:
        """Return a note that rises at once and is held: at least so many samples, without zeros at the end."""
        sound, rendered = self._sounds.get(key, (None, 0))
        if sound is None or rendered < samples:
            if sound is not None:
                self.size -= self._sounds.pop(key)[0].nbytes
            sound, rendered = _rendered(synth, key, kit, samples)
            self._sounds[key] = sound, rendered
            self.size += sound.nbytes
            while self.size > self.limit and len(self._sounds) > 1:
                self.size -= self._sounds.popitem(last=False)[1][0].nbytes
        self._sounds.move_to_end(key)
        return sound


def _rendered(synth: Synth, key: NoteKey, kit: float, samples: int) -> tuple[Signal, int]:
    seconds = _SHORTEST_SECONDS
    while round(seconds * key.sample_rate) < samples:
        seconds *= 2
    y = _played(synth, key, Voice(kit=kit, attack_timecents=_INSTANT), seconds, seconds)
    loud = np.flatnonzero(np.abs(y) > SILENCE)
    if not len(loud):
        return y[:0].copy(), len(y)
    # Silence is what `Synth` makes of a sound that is no louder throughout; a longer one must begin with the same.
    y[: loud[0]] = 0.0
    return y[: np.flatnonzero(y)[-1] + 1].copy(), len(y)


def _played(synth: Synth, key: NoteKey, voice: Voice, end: float, seconds: float) -> Signal:
    track = pretty_midi.Instrument(key.program, is_drum=key.bank == DRUM_BANK)
    track.notes = [pretty_midi.Note(key.velocity, key.key, 0.0, end)]
    track.control_changes = [pretty_midi.ControlChange(WHEEL, min(127, key.wheel * WHEEL_LAYER), 0.0)]
    score = pretty_midi.PrettyMIDI()
    score.instruments = [track]
    return synth.render(score, seconds, Performance((voice,)))


def _measured(synth: Synth, key: NoteKey, kit: float) -> Envelope:
    """Measure attack and release: a note with both, divided by the same without, block by block.

    FluidSynth's attack is linear, its release exponential.
    """
    block = BLOCK / key.sample_rate
    off, end = _OFF_BLOCKS * block, _MEASURED_BLOCKS * block
    whole, held = (
        np.linalg.norm(_played(synth, key, voice, stop, end).reshape(-1, BLOCK), axis=1)
        for voice, stop in ((Voice(kit=kit), off), (Voice(kit=kit, attack_timecents=_INSTANT), end))
    )
    sounding = held > SILENCE
    ratios = np.where(sounding, np.minimum(whole / np.maximum(held, SILENCE), 1.0), 1.0)
    before, after = ratios[:_OFF_BLOCKS], ratios[_OFF_BLOCKS:]
    risen = float(before[-1])
    blocks = 2 * float((1 - before).sum()) if risen > 0.98 else _OFF_BLOCKS / max(risen, 0.01)
    return Envelope(blocks * BLOCK, _decay(after / max(risen, 0.01), block))


def _decay(levels: npt.NDArray[np.float64], block: float) -> float:
    """Return the slope of the logarithm of levels after the end of a note, in nepers per second."""
    seconds = (np.arange(len(levels)) + 0.5) * block
    fading = (levels < _AUDIBLE) & (levels > _FADED)
    if not fading.any():
        fading[:] = levels > _FADED
    slopes = np.log(np.maximum(levels, _FADED)) / seconds
    return float(np.clip(np.median(slopes[fading]) if fading.any() else _FASTEST, _FASTEST, _SLOWEST))
