"""The tables of SoundFonts are read whole, or what is wrong with them is reported: in little time, with little
memory."""

import resource
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from instrec import params
from instrec.errors import UserError
from instrec.synthesis.soundfonts import catalog, note_overlap, sf2_reader
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK
from instrec.synthesis.soundfonts.sf2_writer import Note, write
from tests.refusals import refused

TABLES = {b"phdr": 38, b"pbag": 4, b"pgen": 4, b"inst": 22, b"ibag": 4, b"igen": 4, b"shdr": 46}
CLASSES = ("violin", "flute", "drums")
CASES = 600


def note(seed: int, keys: tuple[int, int] = (0, 127)) -> Note:
    return Note(np.random.default_rng(seed).integers(-9000, 9000, size=200).astype(np.int16), 22050, 60.0, keys)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    notes = [note(1, (0, 60)), note(2, (61, 127)), note(3)]
    presets = {(0, 40): notes[:2], (0, 73): notes[1:2], (DRUM_BANK, 0): notes[2:]}
    write(tmp_path / "own.sf2", "own", presets)
    return tmp_path / "own.sf2"


def table(whole: bytes, name: bytes) -> tuple[int, int]:
    """Where a table begins and how long it is."""
    place = whole.index(name)
    return place + 8, struct.unpack_from("<I", whole, place + 4)[0]


def rebuilt(tables: dict[bytes, bytes], samples: bytes, *, comment: bytes = b"", pad: bytes = b"\0") -> bytes:
    """A SoundFont of tables as they are."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + pad * (len(data) % 2)

    lists = chunk(b"LIST", b"INFO" + chunk(b"ICMT", comment))
    lists += chunk(b"LIST", b"sdta" + chunk(b"smpl", samples))
    lists += chunk(b"LIST", b"pdta" + b"".join(chunk(name, data) for name, data in tables.items()))
    return chunk(b"RIFF", b"sfbk" + lists)


def tables_of(whole: bytes) -> dict[bytes, bytes]:
    return {name: whole[at : at + size] for name in TABLES for at, size in [table(whole, name)]}


def test_what_was_written_is_read(font: Path) -> None:
    found = sf2_reader.read(font)
    assert found.zones == {(0, 40): [(0, 60, 0), (61, 127, 1)], (0, 73): [(61, 127, 1)], (DRUM_BANK, 0): [(0, 127, 2)]}
    for (start, end), seed in zip(found.spans, (1, 2, 3), strict=True):
        np.testing.assert_array_equal(found.pcm[start:end], note(seed).pcm)
    assert (found.programs, found.kits) == ({40, 73}, {0})


def test_presets_are_those_that_fluidsynth_knows(full_params: params.Params) -> None:
    from instrec.synthesis.fluidsynth import Synth

    settings = full_params.soundfonts
    for name in (*settings.all, "sf_GMbank.sf2"):
        path = catalog.find(name, settings.folders)
        synth, found = Synth(path, 22050), sf2_reader.read(path)
        for bank, numbers in ((0, found.programs), (DRUM_BANK, found.kits)):
            known = {each for each in range(128) if synth._owner.sfpreset_name(synth._number, bank, each)}
            assert numbers == known, name
        synth.close()


def test_a_preset_without_zones_plays_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.sf2", "own", {(0, 1): [note(1)], (0, 2): [], (DRUM_BANK, 3): []})
    found = sf2_reader.read(tmp_path / "a.sf2")
    assert (found.programs, found.kits) == ({1}, frozenset())


def test_compressed_notes_are_known_by_their_tables_alone(font: Path) -> None:
    """SF3: places count bytes of Ogg Vorbis, and no waveform is found there."""
    whole = bytearray(font.read_bytes())
    at, _ = table(bytes(whole), b"shdr")
    struct.pack_into("<II", whole, at + 20, 7, 399)
    struct.pack_into("<H", whole, at + 44, 0x11)
    font.write_bytes(whole)
    found = sf2_reader.read(font)
    assert found.zones[0, 40] == [(0, 60, 0), (61, 127, 1)]
    assert found.spans[0].tolist() == [0, 0]
    assert note_overlap.shared(found, found).tolist() == [False, True, True]


@pytest.mark.parametrize("pad", [b"\0", b""])
def test_chunks_of_odd_length_may_lack_their_padding(font: Path, pad: bytes) -> None:
    """MuseScore pads none: MuseScore_General_Lite.sf3, FluidR3Mono_GM.sf3."""
    expected, whole = sf2_reader.read(font), font.read_bytes()
    at, size = table(whole, b"smpl")
    other = font.with_name("other.sf2")
    other.write_bytes(rebuilt(tables_of(whole), whole[at : at + size] + b"\1", comment=b"odd", pad=pad))
    found = sf2_reader.read(other)
    assert found.zones == expected.zones
    np.testing.assert_array_equal(found.pcm, expected.pcm)


def changed_cut(whole: bytes, rng: np.random.Generator) -> bytes:
    return whole[: rng.integers(len(whole))]


def changed_bytes(whole: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes anywhere behind the samples, or before them."""
    data, first = bytearray(whole), whole.index(b"pdta")
    places = rng.integers(first, len(data), 3) if rng.random() < 0.8 else rng.integers(0, 60, 3)
    for place in places:
        data[place] = rng.integers(256)
    return bytes(data)


def changed_index(whole: bytes, rng: np.random.Generator) -> bytes:
    """A 16-bit word of a table: an index, a number, half of a position."""
    data = bytearray(whole)
    at, size = table(whole, list(TABLES)[rng.integers(len(TABLES))])
    place = at + 2 * int(rng.integers(size // 2))
    value = int(rng.choice([0, 1, 2, 127, 255, 32767, 65535, rng.integers(65536)]))
    struct.pack_into("<H", data, place, value)
    return bytes(data)


def changed_length(whole: bytes, rng: np.random.Generator) -> bytes:
    """A table that ends early, in whole records or within one, or has more of them than it should."""
    tables = tables_of(whole)
    name = list(TABLES)[rng.integers(len(TABLES))]
    if rng.random() < 0.7:
        step = TABLES[name] if rng.random() < 0.7 else 1
        tables[name] = tables[name][: -step * int(rng.integers(1, 5))]
    else:
        tables[name] += rng.bytes(TABLES[name] * int(rng.integers(1, 2000)))
    return rebuilt(tables, rng.bytes(2000))


@pytest.mark.parametrize("change", [changed_cut, changed_bytes, changed_index, changed_length])
def test_a_mutated_font_is_read_or_told(font: Path, change) -> None:
    whole, told = font.read_bytes(), 0
    begin = time.process_time()
    for seed in range(CASES // 4):
        font.write_bytes(change(whole, np.random.default_rng(seed)))
        try:
            found = sf2_reader.read(font)
        except UserError as error:
            told += 1
            assert str(error).startswith(f"{font}: ")
            assert "\n" not in str(error)
        else:
            assert_sound(found)
    assert told > 0
    assert time.process_time() - begin < 10  # 2 s on a busy machine


def assert_sound(found: sf2_reader.SoundFont) -> None:
    """All that is read leads to what is there, and can be worked with."""
    assert ((found.spans >= 0) & (found.spans <= len(found.pcm))).all()
    assert (found.spans[:, 0] <= found.spans[:, 1]).all()
    for zones in found.zones.values():
        assert all(low <= high and 0 <= target < len(found.spans) for low, high, target in zones)
    note_overlap.overlaps(found, found, CLASSES)


def grown(**tables: bytes) -> bytes:
    """A SoundFont whose tables are as given, by their names, and minimal elsewhere."""
    whole = {name: bytes(2 * size) for name, size in TABLES.items()}
    return rebuilt(whole | {name.encode(): data for name, data in tables.items()}, bytes(4000))


def records(form: str, *rows: tuple[object, ...]) -> bytes:
    return b"".join(struct.pack(form, *row) for row in rows)


def quadratic_zones() -> bytes:
    """Every one of 60,000 zones of a preset plays an instrument of 30,000 zones: 1.8 thousand million."""
    many, own = 60_000, 30_000
    return grown(
        phdr=records("<20sHHH12x", (b"a", 0, 0, 0), (b"EOP", 0, 0, many)),
        pbag=records("<HH", *((number, 0) for number in range(many + 1))),
        pgen=records("<HH", *[(41, 0)] * many),
        inst=records("<20sH", (b"a", 0), (b"EOI", own)),
        ibag=records("<HH", *((number, 0) for number in range(own + 1))),
        igen=records("<HH", *[(53, 0)] * own),
    )


def overlapping_presets() -> bytes:
    """Bags that go back and forth: each of 60,000 presets has all of 60,000 bags."""
    many = 60_000
    return grown(
        phdr=records("<20sHHH12x", *((b"a", 0, 0, many * (number % 2)) for number in range(many))),
        pbag=records("<HH", *((0, 0) for _ in range(many + 1))),
    )


def notes_over_each_other() -> bytes:
    """60,000 notes, each as long as all waveforms."""
    return grown(shdr=records("<20sII16xH", *((b"a", number % 40, 2000 - number // 40, 1) for number in range(60_000))))


def chunks_without_end() -> bytes:
    empty = b"none" + bytes(4)
    return b"RIFF" + struct.pack("<I", 4 + 8 * 2_000_000) + b"sfbk" + empty * 2_000_000


def tables_without_end() -> bytes:
    return grown(igen=bytes(4 * 8_000_000))


@pytest.mark.parametrize(
    "made", [quadratic_zones, overlapping_presets, notes_over_each_other, chunks_without_end, tables_without_end]
)
def test_what_grows_without_bound_is_told_soon(tmp_path: Path, made) -> None:
    path = tmp_path / "own.sf2"
    path.write_bytes(made())
    begin = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    tracemalloc.start()
    try:
        with refused("soundfont-damaged", path, "params.yaml"):
            sf2_reader.read(path)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - begin < 5


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a SoundFont"),
        (b"RIFF", "not a SoundFont"),
        (b"no SoundFont at all", "not a SoundFont"),
        (b"RIFF\x04\0\0\0sfbk", "phdr is missing"),
        (b"RIFF\x40\0\0\0sfbk", "cut off"),
        (b"RIFF\x10\0\0\0sfbkLIST\xff\xff\xff\xffpdta", "cut off"),
        (b"RIFF\x20\0\0\0sfbkLIST\x14\0\0\0pdtaphdr\x08\0\0\0abcdefgh", "phdr is missing or not of whole records"),
    ],
)
def test_what_is_no_whole_soundfont_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "own.sf2"
    path.write_bytes(content)
    with refused("soundfont-damaged", path, told):
        sf2_reader.read(path)


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_what_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path if what == "folder" else tmp_path / "own.sf2"
    with refused("file-unreadable", path):
        sf2_reader.read(path)
