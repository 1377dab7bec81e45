"""Merged SoundFonts sound as their parts."""

import io
import struct

import numpy as np
import pytest
import soundfile

from instrec.synthesis.soundfonts import catalog, sf2_reader
from instrec.synthesis.soundfonts.merging import merge
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK
from instrec.synthesis.soundfonts.sf2_writer import Note, riff, write
from tests.refusals import refused
from tests.synthesis.soundfonts.test_sf2_writer import RATE, played, tone


@pytest.fixture
def parts(tmp_path):
    """Three SoundFonts: two notes that loop, one for loud and one for soft keys, a drum."""
    looped = [Note(tone(hz, 0.2), RATE, key, keys, loop=(500, 4000)) for hz, key, keys in TWO]
    layers = [
        Note(tone(hz), RATE, 69.0, (0, 127), velocities=layer) for hz, layer in ((440, (0, 63)), (1320, (64, 127)))
    ]
    presets = ({(0, 40): looped}, {(0, 71): layers}, {(DRUM_BANK, 0): [Note(tone(3000.0), RATE, 38.0, (38, 38))]})
    paths = [tmp_path / f"{number}.sf2" for number in range(3)]
    for path, preset in zip(paths, presets, strict=True):
        write(path, path.stem, preset)
    return paths


TWO = ((200.0, 55.35, (0, 59)), (800.0, 79.35, (60, 127)))


def test_each_preset_sounds_sample_for_sample_as_in_its_part(tmp_path, parts):
    merge(tmp_path / "all.sf2", "all", parts)
    catalog.verify(tmp_path / "all.sf2")
    for path, (program, key, drum) in zip(parts, ((40, 70, False), (71, 69, False), (0, 38, True)), strict=True):
        alone = played(path, program, key, drum=drum)
        assert alone.any()
        np.testing.assert_array_equal(played(tmp_path / "all.sf2", program, key, drum=drum), alone)


def test_a_merged_soundfont_can_be_merged_again(tmp_path, parts):
    merge(tmp_path / "two.sf2", "two", parts[:2])
    merge(tmp_path / "all.sf2", "all", [tmp_path / "two.sf2", parts[2]])
    font = sf2_reader.read(tmp_path / "all.sf2")
    assert (font.programs, font.kits) == ({40, 71}, {0})
    assert [len(zones) for zones in font.zones.values()] == [2, 2, 1]


def test_a_loop_that_is_shorter_than_a_step_is_no_loop(tmp_path):
    """FluidSynth would read beyond the note, and crash where nothing lies there."""
    for name, loop in (("tiny", (500, 502)), ("none", None), ("short", (500, 508))):
        write(tmp_path / f"{name}.sf2", name, {(0, 40): [Note(tone(200.0, 0.2), RATE, 55.35, (0, 127), loop=loop)]})
        merge(tmp_path / f"{name}-merged.sf2", name, [tmp_path / f"{name}.sf2"])
    tiny, none, short = (played(tmp_path / f"{name}-merged.sf2", 40, 79) for name in ("tiny", "none", "short"))
    np.testing.assert_array_equal(tiny, none)
    assert not np.array_equal(short, none)


def compressed(path):
    """Make a SoundFont of one note compressed, as MuseScore writes them: offsets count bytes, loops from the note."""
    chunks = sf2_reader.chunks(path)
    samples = np.frombuffer(chunks[b"smpl"], "<i2")
    vorbis = io.BytesIO()
    soundfile.write(vorbis, samples, RATE, format="OGG", subtype="VORBIS")
    chunks[b"smpl"] = vorbis.getvalue()
    header = bytearray(chunks[b"shdr"])
    struct.pack_into("<II", header, 20, 0, len(chunks[b"smpl"]))
    struct.pack_into("<H", header, 44, 0x11)
    tables = {name: chunks[name] for name in TABLES} | {b"shdr": bytes(header)}
    path.write_bytes(riff(path.stem, chunks[b"smpl"], tables, (3, 0)))


TABLES = (b"phdr", b"pbag", b"pmod", b"pgen", b"inst", b"ibag", b"imod", b"igen", b"shdr")


def test_compressed_parts_sound_as_before(tmp_path):
    paths = [tmp_path / "40.sf3", tmp_path / "71.sf3"]
    for path, hz in zip(paths, (440, 880), strict=True):
        write(path, path.stem, {(0, int(path.stem)): [Note(tone(hz), RATE, 69.0, (0, 127), loop=(2000, 18000))]})
        compressed(path)
    merge(tmp_path / "all.sf3", "all", paths)
    for path in paths:
        alone = played(path, int(path.stem), 69)
        assert alone.any()
        np.testing.assert_array_equal(played(tmp_path / "all.sf3", int(path.stem), 69), alone)


def test_compressed_parts_do_not_go_with_others(tmp_path, parts):
    write(tmp_path / "40.sf3", "40", {(0, 40): [Note(tone(440), RATE, 69.0, (0, 127))]})
    compressed(tmp_path / "40.sf3")
    with refused("soundfonts-differ", tmp_path / "40.sf3"):
        merge(tmp_path / "all.sf3", "all", [parts[1], tmp_path / "40.sf3"])
    assert not (tmp_path / "all.sf3").exists()
