"""Read real-world MIDI files: an error that affects no note does not reject the file.

mido reads the messages, and pretty_midi makes notes of them. Both reject whole files for errors that players ignore:
key signatures out of range, wrong track lengths, a RIFF container, notes without an end.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import mido
from mido.midifiles import midifiles

MOST_MESSAGES = 500_000  # more than any piece for players has; reading as many takes ten seconds

_FEW_BYTES = 4  # by which a track's length may lie, or the file be cut off
_FRAMES_PER_SECOND = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}  # SMPTE's, as a header names them
_END_OF_TRACK, _TEMPO, _NAME = 0x2F, 0x51, 0x03  # the meta messages that matter here


def read(data: bytes) -> Any:
    """Read the content of a file as a `mido.MidiFile` whose notes all end.

    Raises
    ------
    ValueError
        If it cannot be read, or has type 2, whose tracks do not sound together.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = data[max(0, data.find(b"MThd")) :]
    if data[:4] != b"MThd" or len(data) < 14:
        raise ValueError("its header is missing")
    size, kind, count, division = struct.unpack(">IHHh", data[4:14])
    if kind > 2 or division == 0:
        raise ValueError(f"its header says type {kind} and {division} ticks")
    tracks = _tracks(data, 8 + size, count)
    if kind == 2 and len(tracks) > 1:
        raise ValueError("type 2: its tracks are independent patterns, which do not sound at once")
    file = mido.MidiFile(type=min(kind, 1), ticks_per_beat=division if division > 0 else 1)
    file.tracks = tracks
    if division < 0:
        _count_frames(file, division)
    return file


def _count_frames(file: Any, division: int) -> None:
    """Convert SMPTE ticks to ticks of a beat of about one second, whatever the tempo."""
    frames, resolution = -(division >> 8), division & 0xFF
    if frames not in _FRAMES_PER_SECOND or not resolution:
        raise ValueError(f"its header says {frames} frames per second and {resolution} ticks per frame")
    whole = round(_FRAMES_PER_SECOND[frames])
    file.ticks_per_beat = whole * resolution
    tempo = round(1e6 * whole / _FRAMES_PER_SECOND[frames])
    file.tracks[0].insert(0, mido.MetaMessage("set_tempo", tempo=tempo))
    for message in (each for track in file.tracks for each in track):
        if message.type == "set_tempo":
            message.tempo = tempo


def _tracks(data: bytes, position: int, count: int) -> list[Any]:
    """Return all tracks; fewer than in the header matter only if the file ends within one."""
    tracks: list[Any] = []
    left = MOST_MESSAGES
    while (position := data.find(b"MTrk", position)) >= 0:
        size = int.from_bytes(data[position + 4 : position + 8], "big")
        start = position + 8
        declared = start + size
        honest = data[declared : declared + 4] == b"MTrk" or declared == len(data)
        following = data.find(b"MTrk", start)
        end = declared if honest else following if following >= 0 else len(data)
        track, read = _track(data[start:end], size, left)
        left -= len(track)
        tracks.append(track)
        position = declared if honest else start + read
        if declared > len(data) and following < 0 and len(tracks) < count:
            raise ValueError("it is cut off")
    if not tracks:
        raise ValueError("it holds no track")
    return tracks


def _track(data: bytes, size: int, most: int) -> tuple[Any, int]:
    """Read a track to its end, or as far as possible; return it with the number of bytes read.

    Parameters
    ----------
    size : from its header.
    most : maximum number of messages.
    """
    track, file, running = mido.MidiTrack(), io.BytesIO(data), None
    waiting = 0  # ticks, of messages that are left out
    position, why = 0, "it is cut off"
    while position < len(data):
        try:
            delta = midifiles.read_variable_int(file)
            message, running = _message(file, running)
        except (OSError, EOFError) as error:
            why = str(error) or why
            break
        position = file.tell()
        waiting += delta
        if message is _END:
            size = position
            break
        if message is not None:
            message.time, waiting = waiting, 0
            track.append(message)
        if len(track) > most:
            raise ValueError(f"it has more than {MOST_MESSAGES:,} messages")
    if position < size - _FEW_BYTES:
        raise ValueError(why)
    _let_go(track, waiting)
    return track, position


_END = object()


def _message(file: io.BytesIO, running: int | None) -> tuple[Any, int | None]:
    """Return the next message, or None if it does not matter, and the running status."""
    status = midifiles.read_byte(file)
    if status == 0xFF:
        return _meta(file), running
    if status in (0xF0, 0xF7):
        midifiles.read_sysex(file, 0, clip=True)
        return None, None
    first: list[int] = []
    if status < 0x80:
        if running is None:
            raise OSError("data without a status")
        first, status = [status], running
    return midifiles.read_message(file, status, first, 0), status


def _meta(file: io.BytesIO) -> Any:
    kind = midifiles.read_byte(file)
    data = midifiles.read_bytes(file, midifiles.read_variable_int(file))
    if kind == _END_OF_TRACK:
        return _END
    tempo = int.from_bytes(bytes(data), "big") if kind == _TEMPO and len(data) == 3 else 0
    if tempo:
        return mido.MetaMessage("set_tempo", tempo=tempo)
    return mido.MetaMessage("track_name", name=bytes(data).decode("latin1")) if kind == _NAME else None


def _let_go(track: Any, waiting: int) -> None:
    """End the track, and with it the notes that still sound."""
    held: dict[tuple[int, int], None] = {}
    for message in track:
        if message.type == "note_on" and message.velocity:
            held[message.channel, message.note] = None
        elif message.type in ("note_on", "note_off"):
            held.pop((message.channel, message.note), None)
    for channel, note in held:
        track.append(mido.Message("note_off", channel=channel, note=note, time=waiting))
        waiting = 0
    track.append(mido.MetaMessage("end_of_track", time=waiting))
