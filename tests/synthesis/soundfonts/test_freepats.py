"""FreePats as Debian packages them, made into a SoundFont; and patches that are broken."""

import struct

import librosa
import numpy as np
import pretty_midi
import pytest

from instrec import taxonomy
from instrec.errors import UserError
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog, freepats, sf2_reader, sf2_writer
from tests.refusals import refused

RATE = 22050


@pytest.fixture(scope="module")
def synth():
    return Synth(catalog.find(freepats.NAME, []), RATE)


def sounds(synth, program, pitch, seconds=1.0):
    score = pretty_midi.PrettyMIDI()
    track = pretty_midi.Instrument(program or 0, is_drum=program is None)
    track.notes = [pretty_midi.Note(100, pitch, 0.0, 0.9 * seconds)]
    score.instruments.append(track)
    return synth.render(score, seconds)


def test_it_is_made_once_with_the_checksum_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = catalog.find(freepats.NAME, [])
    known = catalog.KNOWN[freepats.NAME]
    assert catalog.verify(path) == (known.size, known.sha256)
    made = path.stat().st_mtime_ns
    assert catalog.find(freepats.NAME, []) == path
    assert path.stat().st_mtime_ns == made


@pytest.fixture
def patches(tmp_path, monkeypatch):
    """A folder of patches of our own, and a cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(freepats, "FOLDER", tmp_path / "patches")
    for number, name in enumerate(
        ("Tone_000/000_Piano", "Tone_000/040_Violin", "Tone_000/104_Sitar", "Drum_000/036_Kick")
    ):
        path = tmp_path / "patches" / f"{name}.pat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(patch(data=np.random.default_rng(number).bytes(2000)))
    return tmp_path / "patches"


def programs(path):
    return sorted(program for program in sf2_reader.read(path).programs)


def test_a_new_class_is_not_played_by_the_soundfont_made_before(patches, monkeypatch):
    made = catalog.find(freepats.NAME, [])
    assert programs(made) == [0, 1, 2, 40]
    sitar = taxonomy.Instrument("sitar", {104: (36, 84)}, 4, False)
    monkeypatch.setitem(taxonomy.INSTRUMENTS, "sitar", sitar)
    assert programs(catalog.find(freepats.NAME, [])) == [0, 1, 2, 40, 104]
    monkeypatch.delitem(taxonomy.INSTRUMENTS, "sitar")
    assert catalog.find(freepats.NAME, []) == made


@pytest.mark.parametrize(
    ("name", "again"),
    [("Tone_000/040_Violin.pat", True), ("Drum_000/036_Kick.pat", True), ("Tone_000/104_Sitar.pat", False)],
)
def test_other_patches_make_another(patches, name, again):
    made = catalog.find(freepats.NAME, [])
    (patches / name).write_bytes(patch(data=bytes(2000)))
    assert (catalog.find(freepats.NAME, []) != made) == again


def test_other_code_makes_another(patches, tmp_path, monkeypatch):
    made = catalog.find(freepats.NAME, [])
    (tmp_path / "sf2.py").write_text("# not as it was")
    monkeypatch.setattr(sf2_writer, "__file__", str(tmp_path / "sf2.py"))
    assert catalog.find(freepats.NAME, []) != made


def test_a_mutated_patch_is_read_or_told(tmp_path):
    """Read ones can be written, and played."""
    path, told = tmp_path / "a.pat", 0
    whole = patch(modes=1 | 4, loop=(20, 100), data=np.random.default_rng(0).bytes(200))
    for seed in range(400):
        rng, data = np.random.default_rng(seed), bytearray(whole)
        for place in rng.integers(freepats._SAMPLES_AT, freepats._HEADERS + 70, rng.integers(1, 4)):
            data[place] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data)) if seed % 4 == 0 else None])
        try:
            notes = freepats.read(path)
        except UserError as error:
            told += 1
            assert str(error).startswith(f"{path}: ")
        else:
            sf2_writer.write(tmp_path / "own.sf2", "own", {(0, 0): freepats._levelled(notes)})
            for start, end in sf2_reader.read(tmp_path / "own.sf2").spans:
                assert end >= start
    assert 100 < told < 400


def test_a_cache_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cached = tmp_path / "file/instrec" / freepats.digest(freepats.FOLDER)[:12] / freepats.NAME
    with refused("file-unwritable", cached, "XDG_CACHE_HOME"):
        catalog.find(freepats.NAME, [])


def test_every_program_of_every_class_that_it_has_sounds_and_is_in_tune(synth):
    for program, (low, high) in taxonomy.RANGE_OF_PROGRAM.items():
        # The pitch measured is one of several where an organ's pipes or a struck bar sound; the others are not there.
        if taxonomy.CLASS_OF_PROGRAM[program] in ("organ", "mallet_percussion", "viola", "harmonica", "banjo"):
            continue
        pitch = (low + high) // 2
        y = sounds(synth, program, pitch)
        assert np.abs(y).max() > 0.01, program
        measured = librosa.yin(y[2000:18000], fmin=25, fmax=3000, sr=RATE, frame_length=4096)
        assert np.median(librosa.hz_to_midi(measured)) == pytest.approx(pitch, abs=0.6), program


def test_drums_ring_on(synth):
    for key in (36, 38, 42, 45, 49, 51):
        assert np.abs(sounds(synth, None, key)).max() > 0.01, key
    y = sounds(synth, None, 49, 2.0)
    assert np.abs(y[RATE:]).max() > 1e-4


def patch(*, modes=1, loop=(0, 0), data=b"", declared=None):
    """One sample at A4, for all keys."""
    declared = len(data) if declared is None else declared
    head = struct.pack("<7sBIIIHIIIhB", b"a", 0, declared, *loop, RATE, 8000, 8_000_000, 440_000, 1, 7)
    head += bytes([63, 63, 63, 139, 63, 63, 246, 246, 246, 0, 0, 0]) + bytes(6) + bytes([modes])
    whole = b"GF1PATCH110\0".ljust(freepats._SAMPLES_AT, b"\0") + b"\1"
    return whole.ljust(freepats._HEADERS, b"\0") + head.ljust(96, b"\0") + data


@pytest.mark.parametrize(
    ("modes", "encoded"),
    [(1, "<i2"), (1 | 2, "<u2"), (0, "i1"), (2, "u1")],
    ids=["16", "16-unsigned", "8", "8-unsigned"],
)
def test_every_encoding_of_samples_is_read(tmp_path, modes, encoded):
    y = np.round(100 * np.sin(np.arange(500) / 7))
    middle, scale = (1 << (8 * np.dtype(encoded).itemsize - 1)), 256 if encoded[-1] == "2" else 1
    data = (y * scale + (middle if "u" in encoded else 0)).astype(encoded).tobytes()
    (tmp_path / "a.pat").write_bytes(patch(modes=modes, data=data))
    (note,) = freepats.read(tmp_path / "a.pat")
    np.testing.assert_array_equal(note.pcm, 256 * y)
    assert (note.key, note.keys, note.loop) == (69.0, (0, 127), None)


def test_a_loop_that_goes_back_and_forth_is_laid_out(tmp_path):
    data = np.arange(100, dtype="<i2").tobytes()
    (tmp_path / "a.pat").write_bytes(patch(modes=1 | 4 | 8, loop=(100, 180), data=data))
    (note,) = freepats.read(tmp_path / "a.pat")
    assert note.loop == (50, 130)
    assert note.pcm[50:130].tolist() == [*range(50, 90), *range(89, 49, -1)]


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (b"", "not-a-patch", ""),
        (b"RIFF" * 100, "not-a-patch", ""),
        (patch(data=bytes(100))[:-1], "patch-damaged", "cut off"),
        (patch(data=bytes(100), declared=2**31), "patch-damaged", "cut off"),
        (patch()[:300], "patch-damaged", "cut off"),
        (patch()[: freepats._SAMPLES_AT].ljust(freepats._HEADERS, b"\0"), "patch-damaged", "no sample"),
        (patch().replace((440_000).to_bytes(4, "little"), bytes(4)), "patch-damaged", "0 Hz"),
    ],
)
def test_what_is_no_whole_patch_is_named_with_what_to_do(tmp_path, data, code, named):
    (tmp_path / "a.pat").write_bytes(data)
    with refused(code, tmp_path / "a.pat", named, "freepats --reinstall"):
        freepats.read(tmp_path / "a.pat")


def test_without_patches_nothing_is_made(tmp_path):
    with refused("soundfont-missing", tmp_path, "apt-get install freepats"):
        freepats.build(tmp_path / "own.sf2", tmp_path)
    assert not list(tmp_path.iterdir())
