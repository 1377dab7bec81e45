"""Read SoundFonts: the recorded notes of a file, and the presets that play them.

Every value in a file is checked before use: lengths of chunks, indexes from table to table, and their totals.
Compressed SoundFonts (SF3) have the same tables; their notes are not decoded.

Source: SoundFont Technical Specification 2.04 (Creative Technology 2006), sections 4 and 7.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError

DRUM_BANK = 128
REMEDY = "replace it, or change `soundfonts` in params.yaml"

_TABLES = {
    b"phdr": np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("", "V12")]),
    b"pbag": np.dtype([("generator", "<u2"), ("", "V2")]),
    b"pgen": np.dtype([("kind", "<u2"), ("low", "u1"), ("high", "u1")]),
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": np.dtype([("generator", "<u2"), ("", "V2")]),
    b"igen": np.dtype([("kind", "<u2"), ("low", "u1"), ("high", "u1")]),
    b"shdr": np.dtype([("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("", "V16"), ("type", "<u2")]),
}
_INSTRUMENT, _KEYS, _NOTE = 41, 43, 53  # generators
_NOT_HERE = 0x8000 | 0x10  # types of notes: in a sound card's memory, compressed

# Bounds on work and memory. FluidR3_GM.sf2, the largest of Debian's, has 17,056 zones, and no note overlaps another.
_MOST_CHUNKS = 1000  # of a list
_MOST_RECORDS = 1 << 16  # of a table; no 16-bit index reaches beyond
_MOST_ZONES = 1 << 18
_MOST_TIMES = 16  # that all notes together are as long as the waveforms

_Zone = tuple[int, int, int]  # lowest key, highest key, what it plays
_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SoundFont:
    """The recorded notes of a SoundFont and what plays them.

    Attributes
    ----------
    pcm : waveforms of all notes, one after another.
    spans : first sample and the one past the last of each note [shape=(notes, 2)]; empty where it is compressed.
    zones : (bank, program) -> lowest key, highest key and note of each of its zones.
    """

    pcm: npt.NDArray[np.int16]
    spans: npt.NDArray[np.int64]
    zones: dict[tuple[int, int], list[_Zone]]

    @property
    def programs(self) -> frozenset[int]:
        """The General MIDI programs that it plays."""
        return self._played(0)

    @property
    def kits(self) -> frozenset[int]:
        """The drum kits that it plays."""
        return self._played(DRUM_BANK)

    def _played(self, bank: int) -> frozenset[int]:
        return frozenset(
            number for (own, number), zones in self.zones.items() if own == bank and zones and number < 128
        )


def chunks(path: Path) -> dict[bytes, bytes]:
    """Return waveforms and tables of a SoundFont that `read` does not refuse, as they are."""
    return {name: content.tobytes() for name, content in _found(np.memmap(path, dtype=np.uint8, mode="r")).items()}


class _DamageError(Exception):
    """What is wrong with a file's structure."""


def read(path: Path, remedy: str = REMEDY) -> SoundFont:
    """Read what a SoundFont holds, in time and memory that grow with the length of its tables alone.

    Parameters
    ----------
    remedy : ends the error's line: what the user can do.

    Raises
    ------
    UserError
        If it cannot be read, is no SoundFont, is cut off, or its tables contradict each other.
    """
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
        data = np.zeros(0, np.uint8) if empty else np.memmap(path, dtype=np.uint8, mode="r")
        return _read(data)
    except OSError as error:
        raise UserError("file-unreadable", path, f"cannot be read: {error.strerror or error}; {remedy}") from error
    except _DamageError as damage:
        raise UserError("soundfont-damaged", path, f"{damage}; {remedy}") from damage


def _read(data: _Bytes) -> SoundFont:
    chunks = _found(data)
    tables = {name: _table(chunks, name, kind) for name, kind in _TABLES.items()}
    smpl = chunks.get(b"smpl", data[:0])
    pcm = smpl[: len(smpl) // 2 * 2].view("<i2")
    notes = tables[b"shdr"][:-1]  # the last record ends a table
    instruments = list(_zones(tables, b"inst", b"ibag", b"igen", _NOTE, len(notes)))
    presets = _zones(tables, b"phdr", b"pbag", b"pgen", _INSTRUMENT, len(instruments))
    zones: dict[tuple[int, int], list[_Zone]] = {}
    count = 0
    for head, played in zip(tables[b"phdr"], presets, strict=False):
        count += sum(len(instruments[number]) for _, _, number in played)
        if count > _MOST_ZONES:
            raise _DamageError(f"damaged, more than {_MOST_ZONES:,} zones")
        zones[int(head["bank"]), int(head["program"])] = [
            (max(low, own_low), min(high, own_high), note)
            for low, high, number in played
            for own_low, own_high, note in instruments[number]
            if max(low, own_low) <= min(high, own_high)
        ]
    return SoundFont(pcm, _spans(notes, len(pcm)), zones)


def _found(data: _Bytes) -> dict[bytes, _Bytes]:
    """Return the chunks of the lists of samples and presets by name."""
    if data[:4].tobytes() != b"RIFF" or data[8:12].tobytes() != b"sfbk":
        raise _DamageError("not a SoundFont")
    size = int.from_bytes(data[4:8].tobytes(), "little") + 8
    if size > len(data):
        raise _DamageError(f"cut off, {len(data)} of {size} bytes")
    found: dict[bytes, _Bytes] = {}
    for name, part in _chunks(data[12:size]):
        if name == b"LIST" and part[:4].tobytes() in (b"sdta", b"pdta"):
            for inner, content in _chunks(part[4:]):
                if inner in found:
                    raise _DamageError(f"damaged, chunk {ascii(inner)[1:]} comes twice")
                found[inner] = content
    return found


def _chunks(data: _Bytes) -> Iterator[tuple[bytes, _Bytes]]:
    """Return name and content of the chunks that follow one another."""
    position = 0
    for _ in range(_MOST_CHUNKS):
        if position >= len(data):
            return
        name, length = (data[start : start + 4].tobytes() for start in (position, position + 4))
        size = int.from_bytes(length, "little")
        position += 8
        if position + size > len(data):
            raise _DamageError(f"cut off, chunk {ascii(name)[1:]} is longer than what holds it")
        yield name, data[position : position + size]
        position += size
        # Behind a chunk of odd length stands a zero, but not in what MuseScore writes; no name begins with one.
        position += size % 2 and not data[position : position + 1].any()
    raise _DamageError(f"damaged, more than {_MOST_CHUNKS:,} chunks in a list")


def _table(chunks: dict[bytes, _Bytes], name: bytes, kind: np.dtype[np.void]) -> npt.NDArray[np.void]:
    chunk = chunks.get(name)
    if chunk is None or not len(chunk) or len(chunk) % kind.itemsize:
        raise _DamageError(f"damaged, table {name.decode()} is missing or not of whole records")
    if len(chunk) > _MOST_RECORDS * kind.itemsize:
        raise _DamageError(f"damaged, table {name.decode()} has more than {_MOST_RECORDS:,} records")
    return np.frombuffer(chunk.tobytes(), kind)


def _zones(
    tables: dict[bytes, npt.NDArray[np.void]], heads: bytes, bags: bytes, generators: bytes, kind: int, targets: int
) -> Iterator[list[_Zone]]:
    """Return the zones of each preset, or instrument, that have a target: an instrument, or a note."""
    first_bags = _indexes(tables[heads]["bag"], len(tables[bags]) - 1, heads)
    ends = _indexes(tables[bags]["generator"], len(tables[generators]), bags)
    kinds, lows, highs = (tables[generators][column].tolist() for column in ("kind", "low", "high"))
    for first, last in itertools.pairwise(first_bags):
        found, everywhere = [], (0, 127)
        for bag in range(first, last):
            own, target = everywhere, None
            for place in range(ends[bag], ends[bag + 1]):
                if kinds[place] == _KEYS:
                    own = (lows[place], highs[place])
                elif kinds[place] == kind:
                    target = lows[place] + 256 * highs[place]
            if target is not None:
                if target >= targets:
                    raise _DamageError(f"damaged, {generators.decode()} names {target} of {targets}")
                found.append((*own, target))
            elif bag == first:  # a global zone: what it says holds where others say nothing
                everywhere = own
        yield found


def _indexes(column: npt.NDArray[np.uint16], limit: int, name: bytes) -> list[int]:
    indexes: list[int] = column.tolist()
    if indexes != sorted(indexes) or indexes[-1] > limit:
        raise _DamageError(f"damaged, indexes of table {name.decode()} lead backwards or too far")
    return indexes


def _spans(notes: npt.NDArray[np.void], samples: int) -> npt.NDArray[np.int64]:
    """Return where notes lie, as far as they lie within the waveforms: that much FluidSynth plays."""
    spans = np.stack([notes["start"], notes["end"]], axis=1).astype(np.int64).clip(0, samples)
    spans[(notes["type"] & _NOT_HERE) > 0] = 0
    spans[:, 1] = spans.max(axis=1, initial=0)
    lengths = np.diff(np.unique(spans, axis=0)).sum()
    if lengths > _MOST_TIMES * samples:
        raise _DamageError(f"damaged, its notes overlap more than {_MOST_TIMES} times")
    return spans
