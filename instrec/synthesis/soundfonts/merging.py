"""Merge SoundFonts into one: collections often have one file per program.

Presets keep their layers, loops, filters, modulators and compressed notes (SF3). Source:
SoundFont Technical Specification 2.04 (Creative Technology 2006), section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.synthesis.soundfonts import sf2_reader, sf2_writer
from instrec.util.files import written_whole

_Table = npt.NDArray[np.void]

_INSTRUMENT, _NOTE = 41, 53  # generators whose amount is the number of a record
_COMPRESSED = 0x10
# Samples. FluidSynth 2.3 goes back by one loop at a time: where a step is longer, it reads beyond the note, and may
# crash. At 22,050 Hz, a note of 44,100 Hz that sounds two octaves higher has steps of eight samples.
_SHORTEST_LOOP = 8
_INDEX = "<u2"
_BAG = [("generator", _INDEX), ("modulator", _INDEX)]
_GENERATOR = [("kind", "<u2"), ("amount", _INDEX)]
_SAMPLES = [(field, "<u4") for field in ("start", "end", "loop", "loop_end")]
_TABLES = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", _INDEX), ("rest", "V12")],
    b"pbag": _BAG,
    b"pmod": [("rest", "V10")],
    b"pgen": _GENERATOR,
    b"inst": [("name", "S20"), ("bag", _INDEX)],
    b"ibag": _BAG,
    b"imod": [("rest", "V10")],
    b"igen": _GENERATOR,
    b"shdr": [("name", "S20"), *_SAMPLES, ("pitch", "V6"), ("link", _INDEX), ("type", "<u2")],
}
# Table, field, and the table whose records the field counts.
_POINTERS = (
    (b"phdr", "bag", b"pbag"),
    (b"pbag", "generator", b"pgen"),
    (b"pbag", "modulator", b"pmod"),
    (b"inst", "bag", b"ibag"),
    (b"ibag", "generator", b"igen"),
    (b"ibag", "modulator", b"imod"),
    (b"shdr", "link", b"shdr"),
)


def merge(path: Path, name: str, parts: Iterable[Path]) -> None:
    """Write one SoundFont that holds the presets of all parts.

    Raises
    ------
    UserError
        If a part is no SoundFont, or damaged, or compressed where another is not.
    """
    merged: dict[bytes, list[_Table]] = {table: [] for table in _TABLES}
    waveforms: list[bytes] = []
    kinds: set[int] = set()
    for part in parts:
        sf2_reader.read(part)  # refuses what is damaged
        chunks = sf2_reader.chunks(part)
        own = {table: np.frombuffer(chunks[table], np.dtype(kind)).copy() for table, kind in _TABLES.items()}
        _without_short_loops(own[b"shdr"])
        kinds |= set((own[b"shdr"][:-1]["type"] & _COMPRESSED).tolist())
        if len(kinds) > 1:
            reason = "compressed notes do not go into one SoundFont with others; write two entries"
            raise UserError("soundfonts-differ", part, reason)
        _shift(own, {table: sum(map(len, before)) for table, before in merged.items()}, sum(map(len, waveforms)))
        for table, records in own.items():
            merged[table].append(records[:-1])  # the last record ends the table
        waveforms.append(chunks[b"smpl"] + b"\0" * (len(chunks[b"smpl"]) % 2))
    hydra = {table: np.concatenate([*records, own[table][-1:]]).tobytes() for table, records in merged.items()}
    with written_whole(path) as new:
        new.write_bytes(sf2_writer.riff(name, b"".join(waveforms), hydra, (3, 0) if _COMPRESSED in kinds else (2, 4)))


def _without_short_loops(notes: _Table) -> None:
    short = notes["loop_end"] < notes["loop"].astype(np.int64) + _SHORTEST_LOOP
    notes["loop_end"][short] = notes["loop"][short]


def _shift(tables: dict[bytes, _Table], records: dict[bytes, int], length: int) -> None:
    """Renumber records to follow those already there, and waveforms to start at `length` bytes."""
    for table, field, counted in _POINTERS:
        tables[table][field] += np.uint16(records[counted])
    for table, kind, counted in ((b"pgen", _INSTRUMENT, b"inst"), (b"igen", _NOTE, b"shdr")):
        points = tables[table]["kind"] == kind
        tables[table]["amount"][points] += np.uint16(records[counted])
    notes = tables[b"shdr"][:-1]
    compressed = (notes["type"] & _COMPRESSED) > 0  # they count bytes, and their loops from their own start
    for field in ("start", "end"):
        notes[field] += np.where(compressed, length, length // 2).astype(np.uint32)
    for field in ("loop", "loop_end"):
        notes[field] += np.where(compressed, 0, length // 2).astype(np.uint32)
