"""MIDI files: several tracks, tempo changes, controllers, pitch bends, meta and system messages."""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path
from random import Random

import mido

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_CLASSES = ("violin", "piano", "drums")


def _track(channel: int, program: int, seed: int) -> mido.MidiTrack:
    random = Random(seed)
    track = mido.MidiTrack()
    track += [mido.MetaMessage("track_name", name=f"track {channel}"), mido.Message("program_change", program=program)]
    for _ in range(20):
        note = random.randint(36, 60)
        track.append(mido.Message("control_change", control=7, value=random.randint(0, 127), time=10))
        track.append(mido.Message("note_on", note=note, velocity=90, time=random.randint(0, 200)))
        track.append(mido.Message("pitchwheel", pitch=random.randint(-8192, 8191), time=5))
        track.append(mido.Message("note_off", note=note, time=random.randint(1, 500)))
    for message in track:
        if not message.is_meta:
            message.channel = channel
    return track


def _file(kind: int, tracks: int) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=480)
    for number in range(tracks):
        channel, program = ((0, 0), (1, 40), (9, 0))[number % 3]
        file.tracks.append(_track(channel, program, number))
    head = [
        mido.MetaMessage("set_tempo", tempo=400_000),
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
        mido.MetaMessage("key_signature", key="F#m"),
        mido.MetaMessage("lyrics", text="la"),
        mido.Message("sysex", data=(0x7E, 0x7F, 9, 1)),
    ]
    file.tracks[0][:0] = head
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


@functools.cache
def seeds() -> dict[str, bytes]:
    return {"one.mid": _file(0, 1), "several.mid": _file(1, 4)}


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.corpus import midi_files
    from instrec.scores import midi

    try:
        score = midi.load(path)
        for track in score.instruments:
            assert 0 <= track.program <= 127, track.program
            for note in track.notes:
                assert 0 <= note.start <= note.end <= midi.LONGEST_SECONDS, note
                assert math.isfinite(note.end), note
                assert 0 <= note.pitch <= 127, note
                assert 0 < note.velocity <= 127, note
    finally:
        entries, excluded = midi_files.scan(path.parent, seconds=3.0, classes=_CLASSES, workers=1)
        assert entries or excluded, "neither read nor left out"
        for entry in entries:
            assert 1 <= len(entry.labels) <= midi_files.MOST_CLASSES, entry
            assert set(entry.labels) <= set(_CLASSES), entry
        assert all(each.reason for each in excluded), excluded


MIDI = Format(150, seeds, mutations.binary, _read, ("instrec.scores.midi", "instrec.scores.midi_file"))
