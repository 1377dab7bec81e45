"""Rendering: clips per second, ours against bare FluidSynth calls, and two processes against one of pretty_midi's.

Then the note bank, its notes in memory, against FluidSynth on the same performances, without reverb and chorus and with
them as they are drawn. Then clips that twelve SoundFonts play in turn: all of them in memory, and with room for eight.

python -m benchmarks.rendering
"""

from __future__ import annotations

import ctypes
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import fluidsynth
import numpy as np
import pretty_midi

from benchmarks import side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec import params, scores
from instrec.corpus.manifest import CLEAN, SCORE, Clip
from instrec.synthesis import rendering, variation
from instrec.synthesis.fluidsynth import GAIN, Synth
from instrec.synthesis.note_bank import NoteBank
from instrec.synthesis.notes import Notes
from instrec.synthesis.soundfonts import cache, catalog
from instrec.util import parallel

SOUNDFONT, RATE, SECONDS = "FluidR3_GM.sf2", 22050, 3.0
SCORES = 60
PARAMETERS = params.load(ROOT / "params.yaml")


@functools.cache
def soundfont(name: str = SOUNDFONT) -> Path:
    return catalog.find(name, PARAMETERS.soundfonts.folders)


@functools.cache
def score(number: int) -> pretty_midi.PrettyMIDI:
    """Three instruments, another composition for each number, cut where the clip ends."""
    rng = np.random.default_rng(number)
    made = scores.compose(rng, tuple(rng.choice(PARAMETERS.classes, size=3, replace=False).tolist()), SECONDS)
    for track in made.instruments:
        track.notes = [note for note in track.notes if note.start < SECONDS]
        for note in track.notes:
            note.end = min(note.end, SECONDS)
    return made


# ---- the contenders, one clip per call


@functools.cache
def our_synth() -> Synth:
    return Synth(soundfont(), RATE)


def ours(number: int) -> np.ndarray:
    return our_synth().render(score(number), SECONDS)


@functools.cache
def performance(number: int) -> variation.Performance:
    rng = np.random.default_rng(number)
    return variation.draw(rng, PARAMETERS.synth, score(number), classes=PARAMETERS.classes, seconds=SECONDS)


@functools.cache
def note_bank() -> NoteBank:
    return NoteBank(our_synth(), Notes(4 << 30))


def by_notes(number: int) -> np.ndarray:
    return note_bank().render(score(number), SECONDS, performance(number))


def varied(number: int) -> np.ndarray:
    return our_synth().render(score(number), SECONDS, performance(number))


def dry(number: int) -> np.ndarray:
    return our_synth().render(score(number), SECONDS, replace(performance(number), reverb=None, chorus=None))


@functools.cache
def bare_synth() -> tuple[fluidsynth.Synth, int]:
    our_synth()  # declares fluid_synth_write_float
    synth = fluidsynth.Synth(gain=GAIN, samplerate=float(RATE))
    number = synth.sfload(str(soundfont()))
    for effect in ("reverb", "chorus"):
        synth.setting(f"synth.{effect}.active", 0)
    return synth, number


@functools.cache
def events(number: int) -> list[tuple[float, Callable[..., int], tuple[int, ...]]]:
    """All that a score asks of FluidSynth, in order; made ahead, so that the bare loop does nothing but call."""
    found: list[tuple[float, Callable[..., int], tuple[int, ...]]] = []
    for channel, track in enumerate(score(number).instruments):
        channel = 9 if track.is_drum else channel
        for note in track.notes:
            found.append((note.start, fluidsynth.fluid_synth_noteon, (channel, note.pitch, note.velocity)))
            found.append((note.end, fluidsynth.fluid_synth_noteoff, (channel, note.pitch)))
        for change in track.control_changes:
            found.append((change.time, fluidsynth.fluid_synth_cc, (channel, change.number, change.value)))
        for bend in track.pitch_bends:
            found.append((bend.time, fluidsynth.fluid_synth_pitch_bend, (channel, bend.pitch + 8192)))
    return sorted(found, key=lambda event: event[0])


def bare(number: int) -> np.ndarray:
    """Reset, choose the programs, then write and call in turn."""
    synth, font = bare_synth()
    fluidsynth.fluid_synth_system_reset(synth.synth)
    for channel, track in enumerate(score(number).instruments):
        channel, bank = (9, 128) if track.is_drum else (channel, 0)
        fluidsynth.fluid_synth_program_select(synth.synth, channel, font, bank, track.program)
    samples = round(SECONDS * RATE)
    sound = np.zeros((2, samples), dtype=np.float32)
    position = 0

    def write(stop: int) -> None:
        left, right = (ctypes.c_void_p(side[position:].ctypes.data) for side in sound)
        fluidsynth._fl.fluid_synth_write_float(synth.synth, stop - position, left, 0, 1, right, 0, 1)

    for seconds, call, arguments in events(number):
        stop = min(round(seconds * RATE), samples)
        if stop > position:
            write(stop)
            position = stop
        call(synth.synth, *arguments)
    if position < samples:
        write(samples)
    return sound.mean(axis=0)


def theirs(number: int) -> np.ndarray:
    return score(number).fluidsynth(fs=RATE, synthesizer=str(soundfont()))


# ---- timing


def one_by_one(render: Callable[[int], object]) -> float:
    """Return the clips per second of this process."""
    start = time.perf_counter()
    for number in range(SCORES):
        render(number)
    return SCORES / (time.perf_counter() - start)


def through_ordered_map(workers: int) -> float:
    """Return the clips per second once all workers are under way: a stage starts them once for thousands of clips."""
    begin, end = 200, 1000
    results = parallel.ordered_map(
        ours, (number % SCORES for number in range(end + 2 * workers * parallel.CHUNK)), workers=workers
    )
    for number, _ in enumerate(results, 1):
        if number == begin:
            start = time.perf_counter()
        if number == end:
            stop = time.perf_counter()
    return (end - begin) / (stop - start)


# ---- many SoundFonts


def in_turn(folder: Path, number: int, room: int | None = None) -> float:
    """Return the clips per second of one process after the first turn.

    There is memory for `room` of the SoundFonts, by default for all.
    """
    parameters = replace(PARAMETERS, soundfonts=replace(PARAMETERS.soundfonts, folders=(str(folder),)))
    names = sorted(path.name for path in folder.iterdir())[:number]
    sizes = sum((folder / name).stat().st_size for name in names)
    limit = sizes if room is None else sizes * room // number
    synths = cache.SynthCache()
    with mock.patch.object(cache, "soundfont_bytes", lambda workers: limit), mock.patch.object(cache, "SYNTHS", synths):
        render = rendering.Renderer(parameters, Path("data"))

        def clip(place: int) -> None:
            labels = (parameters.classes[place % len(parameters.classes)],)
            render(Clip(f"train/{place}", "train", SCORE, "", 0.0, labels, "", names[place % number], CLEAN, 20))

        for place in range(number):
            clip(place)
        start = time.perf_counter()
        for place in range(number, number + SCORES):
            clip(place)
        rate = SCORES / (time.perf_counter() - start)
    for loaded in synths._loaded.values():
        loaded.synth.close()
    return rate


def many_soundfonts() -> Iterator[Row]:
    """Measure with twelve links to one SoundFont: by their names they are others."""
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(12):
            Path(temporary, f"{number:02}.sf2").symlink_to(soundfont("A320U.sf2"))
        rates = {
            "twelve": lambda: in_turn(Path(temporary), 12),
            "one SoundFont": lambda: in_turn(Path(temporary), 1),
            "twelve, with memory for eight": lambda: in_turn(Path(temporary), 12, 8),
        }
        yield from side_by_side.rows("clips of twelve SoundFonts in turn", "clips/s", rates, turns=5)


def compared() -> Iterator[Row]:
    for number in range(SCORES):
        events(number)  # made ahead
    alone = {"instrec": lambda: one_by_one(ours), "bare FluidSynth calls": lambda: one_by_one(bare)}
    yield from side_by_side.rows("clips of 3 s, one process", "clips/s", alone, turns=15)
    engines = {
        "note bank": lambda: one_by_one(by_notes),
        "FluidSynth without reverb and chorus": lambda: one_by_one(dry),
        "FluidSynth": lambda: one_by_one(varied),
    }
    yield from side_by_side.rows("clips of 3 s, note bank", "clips/s", engines, turns=15)
    together = {
        "instrec, 2 workers": lambda: through_ordered_map(2),
        "instrec, 1 worker": lambda: through_ordered_map(1),
        "pretty_midi.fluidsynth, 1 process": lambda: one_by_one(theirs),
    }
    yield from side_by_side.rows("clips of 3 s, two workers", "clips/s", together, turns=5)
    yield from many_soundfonts()


if __name__ == "__main__":
    side_by_side.shown(compared())
