"""What SoundFonts hold: the recorded notes of each class, and which of them another holds as well.

Many SoundFonts are made of parts of others, whatever their names say; one that tests on sounds never heard must share
none with those that a model learns from. Notes are compared sample by sample: renamed, retuned and cut ones are found,
resampled and compressed ones (SF3) are not.

Source: SoundFont Technical Specification 2.04 (Creative Technology 2006), section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec import taxonomy
from instrec.sources.sf2 import DRUM_BANK

_TABLES = {
    b"phdr": np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("", "V12")]),
    b"pbag": np.dtype([("generator", "<u2"), ("", "V2")]),
    b"pgen": np.dtype([("kind", "<u2"), ("low", "u1"), ("high", "u1")]),
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": np.dtype([("generator", "<u2"), ("", "V2")]),
    b"igen": np.dtype([("kind", "<u2"), ("low", "u1"), ("high", "u1")]),
    b"shdr": np.dtype([("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("", "V18")]),
}
_INSTRUMENT, _KEYS, _NOTE = 41, 43, 53  # generators
_WIDE = 4  # samples, 64 bits of a waveform
_AT_ONCE = 1 << 20  # of them
_KIN = 0.1  # of a class's notes; the same click or triangle in two drum kits makes no kit known


@dataclass(frozen=True)
class Contents:
    """The recorded notes of a SoundFont and what plays them.

    Attributes
    ----------
    pcm : waveforms of all notes, one after another.
    spans : first sample and the one past the last of each note [shape=(notes, 2)].
    zones : (bank, program) -> lowest key, highest key and note of each of its zones.
    """

    pcm: npt.NDArray[np.int16]
    spans: npt.NDArray[np.int64]
    zones: dict[tuple[int, int], list[tuple[int, int, int]]]

    def notes(self, instrument: taxonomy.Instrument, relatives: Iterable[taxonomy.Relative] = ()) -> set[int]:
        """Give the notes that play an instrument, or its relatives, within their range; of drums those of all kits."""
        if instrument.is_drum:
            return {note for (bank, _), zones in self.zones.items() if bank == DRUM_BANK for _, _, note in zones}
        ranges = {each.program: each.pitches for each in relatives} | instrument.programs
        return {
            note
            for program, (low, high) in ranges.items()
            for first, last, note in self.zones.get((0, program), [])
            if first <= high and low <= last
        }


def kin(learned: Contents, tested: Contents, classes: Iterable[str]) -> dict[str, float]:
    """Give the classes that two SoundFonts play with the same notes, and the share of the first one's that is.

    Among the notes of the first, from which a model learns, are those of relatives.
    """
    common, classes = shared(learned, tested), tuple(classes)
    notes = {}
    for instrument in map(taxonomy.instrument, classes):
        related = [each for program in instrument.programs for each in taxonomy.relatives(program, classes)]
        notes[instrument.name] = sorted(learned.notes(instrument, related))
    shares = {name: float(common[own].mean()) for name, own in notes.items() if own}
    return {name: share for name, share in shares.items() if share >= _KIN}


def shared(one: Contents, other: Contents) -> npt.NDArray[np.bool_]:
    """Say of each note of one SoundFont whether another holds it as well [shape=(notes,)].

    It does where the note's steepest four samples are found in the other's waveforms, anywhere.
    """
    sought = np.zeros(len(one.spans), dtype=np.uint64)
    for number, (start, end) in enumerate(one.spans):
        slopes = np.abs(np.diff(one.pcm[start : end - _WIDE].astype(np.int32)))
        if slopes.any():
            place = start + int(slopes.argmax())
            sought[number] = one.pcm[place : place + _WIDE].view(np.uint64)[0]
    known = np.unique(sought[sought > 0])
    found = np.zeros(len(known) + 1, dtype=bool)
    for shift in range(_WIDE if len(known) else 0):
        whole = other.pcm[shift : shift + (len(other.pcm) - shift) // _WIDE * _WIDE].view(np.uint64)
        for first in range(0, len(whole), _AT_ONCE):
            part = whole[first : first + _AT_ONCE]
            places = np.searchsorted(known, part)
            found[places[np.append(known, 0)[places] == part]] = True
    return np.asarray((sought > 0) & found[np.searchsorted(known, sought)])


def read(path: Path) -> Contents:
    """Read what a SoundFont holds; of a damaged one, as much as there is."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    chunks = _chunks(data)
    tables = {name: np.frombuffer(_whole(chunks.get(name, data[:0]), kind), kind) for name, kind in _TABLES.items()}
    instruments = [
        list(_zones(tables[b"ibag"], tables[b"igen"], first, last, _NOTE))
        for first, last in zip(tables[b"inst"]["bag"], tables[b"inst"]["bag"][1:], strict=False)
    ]
    heads = tables[b"phdr"]
    zones = {
        (int(head["bank"]), int(head["program"])): [
            (max(low, own_low), min(high, own_high), note)
            for low, high, number in _zones(tables[b"pbag"], tables[b"pgen"], head["bag"], after, _INSTRUMENT)
            for own_low, own_high, note in instruments[number]
            if max(low, own_low) <= min(high, own_high)
        ]
        for head, after in zip(heads, heads["bag"][1:], strict=False)
    }
    notes = tables[b"shdr"][:-1]  # the last one ends the table
    smpl = chunks.get(b"smpl", data[:0])
    return Contents(
        smpl[: len(smpl) // 2 * 2].view("<i2"), np.stack([notes["start"], notes["end"]], 1).astype(np.int64), zones
    )


def _zones(
    bags: npt.NDArray[np.void], generators: npt.NDArray[np.void], first: int, last: int, kind: int
) -> list[tuple[int, int, int]]:
    """Give the key range and target of each zone that has one: a preset's instruments, or an instrument's notes."""
    found, everywhere = [], (0, 127)
    for bag in range(int(first), int(last)):
        own, target = everywhere, None
        for each in generators[bags["generator"][bag] : bags["generator"][bag + 1]]:
            if each["kind"] == _KEYS:
                own = (int(each["low"]), int(each["high"]))
            elif each["kind"] == kind:
                target = int(each["low"]) + 256 * int(each["high"])
        if target is not None:
            found.append((*own, target))
        elif bag == first:  # a global zone: what it says holds where others say nothing
            everywhere = own
    return found


def _whole(chunk: npt.NDArray[np.uint8], kind: np.dtype[np.void]) -> bytes:
    return chunk[: len(chunk) // kind.itemsize * kind.itemsize].tobytes()


def _chunks(data: npt.NDArray[np.uint8]) -> dict[bytes, npt.NDArray[np.uint8]]:
    """Give the contents of a RIFF file's chunks by name, those within its lists."""
    found, position = {}, 12  # behind the RIFF's own name, length and type
    while position + 8 <= len(data):
        name, size = (
            data[position : position + 4].tobytes(),
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        found[name] = data[position + 8 : position + 8 + size]
        position += 12 if name == b"LIST" else 8 + size + size % 2
    return found
