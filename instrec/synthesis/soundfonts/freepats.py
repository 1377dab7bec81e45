"""FreePats: recorded instruments as patches for the Gravis Ultrasound, made into a SoundFont.

They share no sample with the SoundFonts that Debian packages, and FluidSynth plays SoundFonts only. The patches' layout
is the one that TiMidity++ reads (its `instrum.c`): three headers, then every sample behind a header of 96 bytes.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec import taxonomy
from instrec.errors import UserError
from instrec.synthesis.soundfonts import sf2_writer
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK
from instrec.synthesis.soundfonts.sf2_writer import Note, write

FOLDER = Path("/usr/share/midi/freepats")
NAME = "FreePats.sf2"
INSTALL = "sudo apt-get install freepats"
_REMEDY = f"install it again: {INSTALL} --reinstall"

_MAGIC = b"GF1PATCH110"
_HEADERS, _SAMPLES_AT = 129 + 63 + 47, 129 + 63 + 6
_SAMPLE = struct.Struct("<7x B I I I H I I I h x 6B 6B 6x B H H 36x")
_16_BIT, _UNSIGNED, _LOOP, _PING_PONG, _SUSTAINED = 1, 2, 4, 8, 32
_PEAK = 16384  # half of full scale: every patch is as loud as the others
_DB_A_STEP, _SILENT_DB = 6.02 / 16, 100.0  # of envelopes, whose 256 steps double the level every sixteenth
_RINGS = 8.0  # seconds: drums ring on when the key is let go


def build(path: Path, folder: Path) -> None:
    """Write the patches of the taxonomy's programs, and the drums, as one SoundFont.

    A program without a patch is played by another of its class, so that every class has all of its programs.

    Raises
    ------
    UserError
        If a patch is missing, no patch, or cut off.
    """
    files = _files(folder)
    notes = {file: _levelled(read(file)) for file in dict.fromkeys(files.values())}
    presets = {preset: notes[file] for preset, file in files.items() if preset[0] == 0}
    presets[DRUM_BANK, 0] = [_struck(notes[file][0], key) for (bank, key), file in files.items() if bank == DRUM_BANK]
    write(path, "FreePats", presets)


def digest(folder: Path) -> str:
    """Return a digest of the sources of the SoundFont: the patches, their programs, and this code.

    Raises
    ------
    UserError
        As in `build`.
    """
    whole = hashlib.sha256()
    for code in (__file__, sf2_writer.__file__):
        whole.update(Path(code).read_bytes())
    for preset, file in _files(folder).items():
        whole.update(f"{preset} {file.name} ".encode() + _content_digest(file))
    return whole.hexdigest()


def _content_digest(file: Path) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").digest()


def _files(folder: Path) -> dict[tuple[int, int], Path]:
    """Return the patch that plays each (0, program) of the taxonomy and each (DRUM_BANK, key)."""
    tones = dict(_numbered(folder / "Tone_000"))
    drums = {(DRUM_BANK, key): file for key, file in _numbered(folder / "Drum_000")}
    if not drums:
        raise UserError("soundfont-missing", folder, f"no FreePats there; install them: {INSTALL}")
    files: dict[tuple[int, int], Path] = {}
    for instrument in taxonomy.INSTRUMENTS.values():
        known = [program for program in instrument.programs if program in tones]
        for program in instrument.programs if known else ():
            files[0, program] = tones[min(known, key=lambda other: abs(other - program))]
    return files | drums


def _numbered(folder: Path) -> Iterator[tuple[int, Path]]:
    """The patches of a folder by the number their names begin with: `056_Trumpet.pat`."""
    for file in sorted(folder.glob("[0-9][0-9][0-9]_*.pat")):
        if int(file.name[:3]) < 128:
            yield int(file.name[:3]), file


def read(path: Path) -> list[Note]:
    """Read a patch: its notes, the lowest first; together they answer for all keys.

    Raises
    ------
    UserError
        If it is no patch, cut off, or damaged.
    """
    data = path.read_bytes()
    if not data.startswith(_MAGIC) or len(data) < _HEADERS:
        raise UserError("not-a-patch", path, f"not a Gravis Ultrasound patch; {_REMEDY}")
    if not data[_SAMPLES_AT]:
        raise UserError("patch-damaged", path, f"damaged, holds no sample; {_REMEDY}")
    found, position = [], _HEADERS
    for _ in range(data[_SAMPLES_AT]):
        end = position + _SAMPLE.size
        if end > len(data) or end + _SAMPLE.unpack_from(data, position)[1] > len(data):
            raise UserError("patch-damaged", path, f"cut off; {_REMEDY}")
        head = _SAMPLE.unpack_from(data, position)
        position = end + head[1]
        if not 0 <= round(_key(head[7])) <= 127:
            raise UserError("patch-damaged", path, f"damaged, a sample of {head[7] / 1000:.0f} Hz; {_REMEDY}")
        found.append((head[6], _note(head, data[end:position])))
    found.sort(key=lambda each: each[0])
    highest = [*(note.keys[1] for _, note in found[:-1]), 127]
    lowest = [0, *(key + 1 for key in highest[:-1])]
    zones = zip(found, lowest, highest, strict=True)
    return [replace(note, keys=(low, high)) for (_, note), low, high in zones if low <= high]


def _note(head: tuple[int, ...], data: bytes) -> Note:
    _, _, start, end, rate, _, high, root, _, *rest = head
    rates, offsets, modes = rest[:6], rest[6:12], rest[12]
    pcm = _decoded(data, modes)
    wide = 2 if modes & _16_BIT else 1
    loop = None
    if modes & _LOOP and min(end, wide * len(pcm)) - start >= 2 * wide:
        loop = (start // wide, min(end // wide, len(pcm)))
        if modes & _PING_PONG:
            pcm = np.concatenate([pcm[: loop[1]], pcm[loop[0] : loop[1]][::-1]])
            loop = (loop[0], len(pcm))
    seconds = [_seconds(rate, abs(to - of)) for rate, of, to in zip(rates, [0, *offsets[:-1]], offsets, strict=True)]
    drop_db = _DB_A_STEP * (offsets[0] - offsets[2]) if modes & _SUSTAINED else _SILENT_DB
    return Note(
        pcm,
        rate,
        _key(root),
        (0, min(127, max(0, math.floor(_key(high))))),
        loop,
        attack_seconds=seconds[0],
        decay_seconds=(seconds[1] + seconds[2]) * _SILENT_DB / drop_db if drop_db > 0 else 0.0,
        sustain_db=max(0.0, drop_db),
        release_seconds=seconds[3] or 0.1,
    )


def _decoded(data: bytes, modes: int) -> npt.NDArray[np.int16]:
    if modes & _16_BIT:
        data = data[: len(data) // 2 * 2]
        pcm = np.frombuffer(data, "<u2") ^ 0x8000 if modes & _UNSIGNED else np.frombuffer(data, "<u2")
        return pcm.astype(np.uint16).view(np.int16)
    wide = np.frombuffer(data, np.uint8).astype(np.int16)
    wide = wide - 128 if modes & _UNSIGNED else wide.astype(np.int8).astype(np.int16)
    return (wide * 256).astype(np.int16)


def _seconds(rate: int, distance: int) -> float:
    """Return the seconds of an envelope over `distance` of its 256 steps: two bits of exponent, six of mantissa."""
    speed = (rate & 63) << (3 * (3 - (rate >> 6)))
    return distance * 8192 / (max(1, speed) * 44100)


def _key(millihertz: int) -> float:
    return 69 + 12 * math.log2(max(1, millihertz) / 440_000)


def _levelled(notes: list[Note]) -> list[Note]:
    """Scale the notes of a patch so that its loudest has the level of other patches."""
    peak = max((int(np.abs(note.pcm.astype(np.int32)).max(initial=0)) for note in notes), default=0)
    scale = _PEAK / max(1, peak)
    return [replace(note, pcm=np.round(note.pcm * scale).astype(np.int16)) for note in notes]


def _struck(note: Note, key: int) -> Note:
    """A drum: one key plays it, at the pitch of the recording, to its end."""
    return replace(note, key=float(key), keys=(key, key), loop=None, sustain_db=0.0, release_seconds=_RINGS)
