"""Write SoundFonts: notes of any origin become a file that FluidSynth plays.

After the SoundFont Technical Specification 2.04 (Creative Technology 2006), sections 4 to 8.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec.util.files import written_whole

_GAP = np.zeros(46, dtype=np.int16)  # section 6.1 wants as many silent samples behind each
# Generators, section 8.1.2.
_PAN, _ATTACK, _DECAY, _SUSTAIN, _RELEASE, _INSTRUMENT, _KEYS, _VELOCITIES, _SAMPLE, _LOOPS = (
    17,
    34,
    36,
    37,
    38,
    41,
    43,
    44,
    53,
    54,
)

ALL_VELOCITIES = (0, 127)


@dataclass(frozen=True)
class Note:
    """A recorded note and the keys that play it.

    Attributes
    ----------
    pcm : 16-bit mono.
    key : the MIDI pitch at which it was recorded, with fractions.
    keys, velocities : lowest and highest of those that play it.
    loop : first and past-the-last sample of what repeats while the key is held; None plays it once.
    attack_seconds, sustain_db : its envelope: how long it rises, and how far under its loudest it comes to rest.
    decay_seconds, release_seconds : in which it would fall by 100 dB, while the key is held and afterwards.
    """

    pcm: npt.NDArray[np.int16]
    sample_rate: int
    key: float
    keys: tuple[int, int]
    loop: tuple[int, int] | None = None
    attack_seconds: float = 0.001
    decay_seconds: float = 0.001
    sustain_db: float = 0.0
    release_seconds: float = 0.1
    velocities: tuple[int, int] = ALL_VELOCITIES


Presets = Mapping[tuple[int, int], Sequence[Note]]
"""(bank, program) -> its notes."""


def write(path: Path, name: str, presets: Presets) -> None:
    """Write a SoundFont; notes that several presets share are stored once."""
    notes = list({id(note): note for zones in presets.values() for note in zones}.values())
    with written_whole(path) as part:
        part.write_bytes(riff(name, _samples(notes), _hydra(presets, notes)))


def riff(name: str, samples: bytes, tables: Mapping[bytes, bytes], version: tuple[int, int] = (2, 4)) -> bytes:
    """Return a SoundFont of its waveforms and its nine tables; compressed waveforms need version (3, 0)."""
    hydra = b"".join(_chunk(table, records) for table, records in tables.items())
    chunks = (
        _list(b"INFO", _information(name, version)),
        _list(b"sdta", _chunk(b"smpl", samples)),
        _list(b"pdta", hydra),
    )
    return _chunk(b"RIFF", b"sfbk" + b"".join(chunks))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace")[:19].ljust(20, b"\0")


def _information(name: str, version: tuple[int, int]) -> bytes:
    return _chunk(b"ifil", struct.pack("<HH", *version)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", _text(name))


def _samples(notes: Iterable[Note]) -> bytes:
    return np.concatenate([part for note in notes for part in (note.pcm, _GAP)]).astype("<i2").tobytes()


def _hydra(presets: Presets, notes: Sequence[Note]) -> dict[bytes, bytes]:
    """The nine tables (section 7): every preset has one zone, its instrument; an instrument a zone a note."""
    place = {id(note): number for number, note in enumerate(notes)}
    heads, bags, zones = b"", b"", b""
    instruments, instrument_bags = b"", b""
    generators: list[bytes] = []
    for number, ((bank, program), played) in enumerate(sorted(presets.items())):
        heads += _text(f"{bank}:{program}") + struct.pack("<HHHIII", program, bank, number, 0, 0, 0)
        bags += struct.pack("<HH", number, 0)
        zones += struct.pack("<HH", _INSTRUMENT, number)
        instruments += _text(f"{bank}:{program}") + struct.pack("<H", len(instrument_bags) // 4)
        for note in played:
            instrument_bags += struct.pack("<HH", len(generators), 0)
            generators += [*_zone(note), struct.pack("<HH", _SAMPLE, place[id(note)])]
    count = len(presets)
    return {
        b"phdr": heads + _text("EOP") + struct.pack("<HHHIII", 0, 0, count, 0, 0, 0),
        b"pbag": bags + struct.pack("<HH", count, 0),
        b"pmod": bytes(10),
        b"pgen": zones + bytes(4),
        b"inst": instruments + _text("EOI") + struct.pack("<H", len(instrument_bags) // 4),
        b"ibag": instrument_bags + struct.pack("<HH", len(generators), 0),
        b"imod": bytes(10),
        b"igen": b"".join(generators) + bytes(4),
        b"shdr": _headers(notes),
    }


def _zone(note: Note) -> list[bytes]:
    return [
        struct.pack("<HBB", _KEYS, *note.keys),
        # These two come first, in this order (section 8.1.2).
        *([] if note.velocities == ALL_VELOCITIES else [struct.pack("<HBB", _VELOCITIES, *note.velocities)]),
        *(
            struct.pack("<Hh", generator, amount)
            for generator, amount in (
                (_ATTACK, _timecents(note.attack_seconds)),
                (_DECAY, _timecents(note.decay_seconds)),
                (_SUSTAIN, round(10 * min(144.0, note.sustain_db))),
                (_RELEASE, _timecents(note.release_seconds)),
                (_LOOPS, int(note.loop is not None)),
            )
        ),
    ]


def _timecents(seconds: float) -> int:
    return round(1200 * math.log2(min(100.0, max(0.001, seconds))))


def _headers(notes: Iterable[Note]) -> bytes:
    start, rows = 0, []
    for number, note in enumerate(notes):
        key = round(note.key)
        first, last = note.loop or (0, len(note.pcm))
        rows.append(
            _text(f"note {number}")
            + struct.pack(
                "<IIIIIBbHH",
                start,
                start + len(note.pcm),
                start + first,
                start + last,
                note.sample_rate,
                key,
                round(100 * (key - note.key)),  # cents that bring it to its key
                0,
                1,
            )
        )
        start += len(note.pcm) + len(_GAP)
    return b"".join(rows) + _text("EOS") + bytes(26)
