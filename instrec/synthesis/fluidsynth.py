"""FluidSynth: render a score and a performance to samples. Only this module uses it.

Each process loads a SoundFont once. Every clip gets a fresh synthesizer, so it does not depend on earlier clips.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.synthesis import tuning
from instrec.synthesis.variation import PLAIN, Performance, Voice
from instrec.taxonomy import DRUM_CHANNEL

if TYPE_CHECKING:
    import pretty_midi

BLOCK = 64  # samples; FluidSynth's own: it takes events between blocks only
GAIN = 0.4
SILENCE = 1e-6  # -120 dBFS
INSTALL = "apt-get install libfluidsynth3"

# Generators of the SoundFont 2.04 specification (section 8.1.2) that a performance moves.
_FILTER_CUTOFF, _ATTACK, _RELEASE, _COARSE_TUNE, _FINE_TUNE = 8, 34, 38, 51, 52
DRUM_BANK = 128


class Synth:
    """One SoundFont, loaded once, and a fresh FluidSynth for every clip.

    A reset is not enough: voices ring on, and a voice used again starts at the panning of its last note. A fresh
    synthesizer that borrows the SoundFont takes 0.1 ms.
    """

    def __init__(self, soundfont: Path, sample_rate: int) -> None:
        self._fluid = _library()
        self.soundfont = soundfont
        self.sample_rate = sample_rate
        self._owner: Any = self._fluid.Synth(gain=GAIN, samplerate=float(sample_rate), channels=16)
        self._number = number = self._owner.sfload(str(soundfont))
        if number < 0:
            raise UserError(
                "soundfont-damaged",
                soundfont,
                "FluidSynth cannot load it: not a SoundFont, or damaged; install it again",
            )
        self._font = self._fluid.fluid_synth_get_sfont_by_id(self._owner.synth, number)
        self._programs = {program for program in range(128) if self._owner.sfpreset_name(number, 0, program)}
        self._kits = [kit for kit in range(128) if self._owner.sfpreset_name(number, DRUM_BANK, kit)]

    def close(self) -> None:
        """Free the SoundFont's memory."""
        self._owner.delete()

    def render(
        self, score: pretty_midi.PrettyMIDI, seconds: float, performance: Performance = PLAIN
    ) -> npt.NDArray[np.float32]:
        """Render a score.

        Returns
        -------
        np.ndarray [shape=(round(seconds * sample_rate),)]
            Mono, the mean of both channels.

        Raises
        ------
        UserError
            If the SoundFont lacks a program of the score; FluidSynth would play its first, a piano.
        """
        performance = replace(performance, voices=tuple(self.able(voice) for voice in performance.voices))
        skipped = round(performance.preroll_seconds * self.sample_rate / BLOCK)
        samples = round(seconds * self.sample_rate)
        blocks = skipped + -(-samples // BLOCK)
        sound = np.zeros((2, blocks * BLOCK), dtype=np.float32)
        with self._player(score, performance) as player:
            position = 0
            for block, call, arguments in self._events(score, performance):
                stop = min(block, blocks)
                self._fill(player, sound, position, stop)
                position = stop
                call(player, *arguments)
            self._fill(player, sound, position, blocks)
        start = skipped * BLOCK
        mono: npt.NDArray[np.float32] = sound[:, start : start + samples].mean(axis=0, dtype=np.float32)
        # Where nothing sounds, FluidSynth's reverb gives a direct current of -156 dBFS; silence must be silence.
        return mono if np.abs(mono).max(initial=0.0) > SILENCE else np.zeros_like(mono)

    def able(self, voice: Voice) -> Voice:
        """Let a track play its own program if the SoundFont lacks the substitute."""
        if voice.program is None or voice.program in self._programs:
            return voice
        return replace(voice, program=None, zone_shift=0)

    def _fill(self, player: Any, sound: npt.NDArray[np.float32], start: int, stop: int) -> None:
        if stop > start:
            left, right = (side[start * BLOCK :].ctypes.data for side in sound)
            self._fluid._fl.fluid_synth_write_float(player, (stop - start) * BLOCK, left, 0, 1, right, 0, 1)

    @contextmanager
    def _player(self, score: pretty_midi.PrettyMIDI, performance: Performance) -> Iterator[Any]:
        """A fresh synthesizer that borrows the SoundFont, set up for the performance."""
        fluid = self._fluid
        self._owner.setting("synth.reverb.active", int(performance.reverb is not None))
        self._owner.setting("synth.chorus.active", int(performance.chorus is not None))
        player = fluid.new_fluid_synth(self._owner.settings)
        font = fluid._fl.fluid_synth_add_sfont(player, self._font)
        try:
            if performance.reverb:
                fluid.fluid_synth_set_reverb(player, *performance.reverb)
            if performance.chorus:
                fluid.fluid_synth_set_chorus(player, *performance.chorus, 0)
            for channel, track, voice in cast(score, performance):
                bank, program = self.preset(track, voice)
                fluid.fluid_synth_program_select(player, channel, font, bank, program)
                # Volume and pan, then how much goes to reverb and chorus where they are on.
                for controller, value in ((7, voice.volume), (10, voice.pan), (91, 127), (93, 127)):
                    fluid.fluid_synth_cc(player, channel, controller, value)
                for generator, amount in (
                    (_FILTER_CUTOFF, voice.brightness_cents),
                    (_ATTACK, voice.attack_timecents),
                    (_RELEASE, voice.release_timecents),
                    (_COARSE_TUNE, float(-voice.zone_shift)),
                    (_FINE_TUNE, voice.detune_cents),
                ):
                    fluid._fl.fluid_synth_set_gen(player, channel, generator, amount)
                if performance.tuning and not track.is_drum:
                    self._tune(player, channel, performance.tuning, voice.zone_shift)
            yield player
        finally:
            fluid._fl.fluid_synth_remove_sfont(player, self._font)
            fluid.delete_fluid_synth(player)

    def _tune(self, player: Any, channel: int, chosen: tuning.Tuning, shift: int) -> None:
        """Tune a channel whose keys are `shift` semitones over the pitches that sound."""
        pitches = np.clip(np.arange(128) - shift, 0, 127)
        cents = np.ascontiguousarray(tuning.cents(chosen)[pitches] + 100.0 * shift)
        library = self._fluid._fl
        library.fluid_synth_activate_key_tuning(player, 0, channel, chosen[0].encode(), cents.ctypes.data, 0)
        library.fluid_synth_activate_tuning(player, channel, 0, channel, 0)

    def preset(self, track: pretty_midi.Instrument, voice: Voice) -> tuple[int, int]:
        """Choose a drum kit, or the General MIDI program; General MIDI promises only the first kit.

        Returns
        -------
        bank, program : of the preset.

        Raises
        ------
        UserError
            If the SoundFont lacks it.
        """
        if not track.is_drum:
            program = track.program if voice.program is None else voice.program
            if program not in self._programs:
                raise UserError(
                    "program-missing",
                    self.soundfont,
                    f"has no program {program} in it, and a piano would play instead; choose "
                    "another in params.yaml: soundfonts",
                )
            return 0, program
        if not self._kits:
            raise UserError(
                "program-missing",
                self.soundfont,
                "no drum kit (bank 128) in it; choose another in params.yaml: soundfonts",
            )
        return DRUM_BANK, self._kits[int(voice.kit * len(self._kits))]

    def _events(
        self, score: pretty_midi.PrettyMIDI, performance: Performance
    ) -> list[tuple[int, Any, tuple[int, ...]]]:
        """Return (block, call, arguments) in order of time: controllers first, ends of notes before starts."""
        fluid, rate = self._fluid, self.sample_rate / BLOCK
        events: list[tuple[int, int, Any, tuple[int, ...]]] = []
        for channel, track, voice in cast(score, performance):
            for change in track.control_changes:
                controller = (channel, change.number, change.value)
                events.append((round(change.time * rate), 0, fluid.fluid_synth_cc, controller))
            for bend in track.pitch_bends:
                events.append((round(bend.time * rate), 0, fluid.fluid_synth_pitch_bend, (channel, bend.pitch + 8192)))
            for note in track.notes:
                key = min(127, max(0, note.pitch + voice.zone_shift))
                start = round(note.start * rate)
                events.append((start, 2, fluid.fluid_synth_noteon, (channel, key, note.velocity)))
                # At least a block later, or the end would come before the beginning.
                events.append((max(round(note.end * rate), start + 1), 1, fluid.fluid_synth_noteoff, (channel, key)))
        events.sort(key=lambda event: event[:2])  # stable: what comes at once stays in the score's order
        return [(block, call, arguments) for block, _, call, arguments in events]


def cast(
    score: pretty_midi.PrettyMIDI, performance: Performance
) -> Iterator[tuple[int, pretty_midi.Instrument, Voice]]:
    """Return the MIDI channel and voice of every track. Tracks beyond the fifteen melodic channels share them."""
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    melodic = 0
    for number, track in enumerate(score.instruments):
        voice = performance.voices[number] if number < len(performance.voices) else Voice()
        if track.is_drum:
            yield DRUM_CHANNEL, track, voice
        else:
            yield channels[melodic % len(channels)], track, voice
            melodic += 1


@functools.cache
def _library() -> Any:
    """Load FluidSynth, and declare the calls that pyfluidsynth lacks: floating-point output (its 16-bit output is
    dithered by a table that runs on from clip to clip), generators, lending a SoundFont, and tunings."""
    try:
        with contextlib.redirect_stdout(None):  # where CI is set it prints which library it found
            import fluidsynth
    except (ImportError, OSError) as error:
        raise UserError(
            "package-missing", "", f"the FluidSynth library is missing ({error}); install it: {INSTALL}"
        ) from error
    library, number, address = fluidsynth._fl, ctypes.c_int, ctypes.c_void_p
    library.fluid_synth_write_float.argtypes = [address, number, address, number, number, address, number, number]
    library.fluid_synth_set_gen.argtypes = [address, number, number, ctypes.c_float]
    library.fluid_synth_add_sfont.argtypes = library.fluid_synth_remove_sfont.argtypes = [address, address]
    library.fluid_synth_activate_key_tuning.argtypes = [address, number, number, ctypes.c_char_p, address, number]
    library.fluid_synth_activate_tuning.argtypes = [address, number, number, number, number]
    for level in range(4):  # panic, error, warning, info: what matters of it comes back as a return value
        library.fluid_set_log_function(level, None, None)
    return fluidsynth
