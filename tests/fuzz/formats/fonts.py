"""SoundFonts, read for what they hold and played by FluidSynth, and Gravis Ultrasound patches."""

from __future__ import annotations

import functools
import struct
import tempfile
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_RATE = 22050


def _note(hertz: float, keys: tuple[int, int]):
    from instrec.synthesis.soundfonts.sf2_writer import Note

    pcm = (9000 * np.sin(2 * np.pi * hertz * np.arange(4000) / _RATE)).astype(np.int16)
    return Note(pcm, _RATE, 69.0, keys, (1000, 3000))


@functools.cache
def seeds() -> dict[str, bytes]:
    from instrec.synthesis.soundfonts import sf2_reader, sf2_writer

    notes = {(0, 0): [_note(440, (0, 60)), _note(550, (61, 127))], (0, 40): [_note(330, (0, 127))]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "font.sf2"
        sf2_writer.write(path, "fuzz", notes | {(sf2_reader.DRUM_BANK, 0): [_note(200, (35, 81))]})
        return {"font.sf2": path.read_bytes()}


def _damaged(random: Random, data: bytes) -> bytes:
    """The tables lie behind the waveforms: most damage is done to them."""
    start = data.index(b"pdta") - 8
    if random.random() < 0.2:
        return mutations.binary(random, data)
    return data[:start] + mutations.binary(random, data[start:])


def _read(path: Path, before: bytes, random: Random) -> None:
    if random.random() < 0.6:
        _contents(path)
    else:
        _played(path)


def _contents(path: Path) -> None:
    from instrec.synthesis.soundfonts import catalog, note_overlap, sf2_reader

    catalog.verify(path)
    found = sf2_reader.read(path)
    for zones in found.zones.values():
        for low, high, note in zones:
            assert 0 <= low <= high <= 255, (low, high)
            assert 0 <= note < len(found.spans), note
    shares = note_overlap.overlaps(found, found, ("violin", "piano", "drums"))
    assert all(0 <= share <= 1 for share in shares.values()), shares


def _played(path: Path) -> None:
    import pretty_midi

    from instrec.synthesis.fluidsynth import Synth

    score = pretty_midi.PrettyMIDI()
    for program, drum in ((0, False), (40, False), (0, True)):
        track = pretty_midi.Instrument(program, drum)
        track.notes = [pretty_midi.Note(100, pitch, 0.0, 0.3) for pitch in (40, 70)]
        score.instruments.append(track)
    synth = Synth(path, _RATE)
    try:
        y = synth.render(score, 0.5)
        assert y.shape == (_RATE // 2,), y.shape
        assert np.isfinite(y).all(), "samples that are not numbers"
    finally:
        synth.close()


SOUNDFONT = Format(
    100,
    seeds,
    _damaged,
    _read,
    (
        "instrec.synthesis.soundfonts.sf2_reader",
        "instrec.synthesis.soundfonts.catalog",
        "instrec.synthesis.fluidsynth",
    ),
)


@functools.cache
def patches() -> dict[str, bytes]:
    pcm = (9000 * np.sin(2 * np.pi * 440 * np.arange(2000) / _RATE)).astype("<i2").tobytes()
    sample = struct.Struct("<7s B I I I H I I I h x 6B 6B 6x B H H 36x")
    rates, offsets = (63, 50, 40, 30, 20, 10), (255, 240, 200, 100, 50, 0)
    found = {}
    for name, modes in (("wide.pat", 1 | 4 | 32), ("narrow.pat", 2 | 4 | 8)):
        head = sample.pack(
            b"note", 0, len(pcm), 400, 3000, _RATE, 0, 13_000_000, 440_000, 0, *rates, *offsets, modes, 60, 1024
        )
        before = bytearray(129 + 63 + 47)
        before[: len(b"GF1PATCH110")] = b"GF1PATCH110"
        before[129 + 63 + 6] = 2
        found[name] = bytes(before) + 2 * (head + pcm)
    return found


def _read_patch(path: Path, before: bytes, random: Random) -> None:
    from instrec.synthesis.soundfonts import freepats

    for note in freepats.read(path):
        assert note.pcm.dtype == np.int16, note.pcm.dtype
        assert 0 <= note.keys[0] <= note.keys[1] <= 127, note.keys
        assert np.isfinite([note.attack_seconds, note.decay_seconds, note.sustain_db, note.release_seconds]).all()
        if note.loop:
            assert 0 <= note.loop[0] <= note.loop[1] <= len(note.pcm), note.loop


PATCH = Format(50, patches, mutations.binary, _read_patch, ("instrec.synthesis.soundfonts.freepats",))
