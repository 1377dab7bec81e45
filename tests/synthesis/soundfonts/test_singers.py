"""Debian's speech synthesizers, made to sing a SoundFont; and synthesizers that are missing or fail."""

import itertools
import os
import shutil

import librosa
import numpy as np
import pretty_midi
import pytest

from instrec import taxonomy
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog, sf2_reader, singers, vowels
from tests.refusals import refused

RATE = 22050
PROGRAMS = sorted(taxonomy.instrument("voice").programs)
needs_voices = pytest.mark.skipif(
    not shutil.which("festival") or not shutil.which("espeak-ng") or not singers.VOICES.is_dir(),
    reason=f"needs voices: {singers.INSTALL}",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("singers") / singers.NAME
    singers.build(path)
    return path


@pytest.fixture(scope="module")
def synth(path):
    return Synth(path, RATE)


def sung(synth, program, pitch, velocity=90, seconds=2.0):
    score = pretty_midi.PrettyMIDI()
    track = pretty_midi.Instrument(program)
    track.notes = [pretty_midi.Note(velocity, pitch, 0.0, 0.95 * seconds)]
    score.instruments.append(track)
    return synth.render(score, seconds)


def cents(y, pitch):
    hz = librosa.midi_to_hz(pitch)
    f0, *_ = librosa.pyin(
        y[RATE // 2 : 7 * RATE // 4],
        sr=RATE,
        fmin=hz / 2.6,
        fmax=2.2 * hz,
        frame_length=4096 if hz < 100 else 2048,
    )
    return 1200 * np.log2(np.nanmedian(f0) / hz)


@needs_voices
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("velocity", [50, 75, 92, 115])
def test_every_singer_holds_long_notes_in_tune(synth, program, velocity):
    for pitch in range(40, 85, 9):
        y = sung(synth, program, pitch, velocity)
        assert abs(cents(y, pitch)) < 30, pitch
        held = librosa.feature.rms(y=y[RATE // 2 : 7 * RATE // 4], frame_length=4096, center=False)
        assert held.min() > 1e-3, pitch
        assert held.max() < 2 * held.min(), pitch


@needs_voices
def test_programs_and_velocities_are_other_singers_and_keys_other_syllables(synth):
    def color(program, pitch, velocity):
        y = sung(synth, program, pitch, velocity)
        return librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=13)[2:, 10:70].mean(axis=1)

    for pitch in (46, 67):
        colors = [color(program, pitch, velocity) for program in PROGRAMS for velocity in (50, 75, 92, 115)]
        apart = [np.linalg.norm(one - other) for number, one in enumerate(colors) for other in colors[:number]]
        assert min(apart) > 5
    neighbors = [color(53, pitch, 50) for pitch in range(60, 66)]
    assert min(np.linalg.norm(one - other) for one, other in itertools.pairwise(neighbors)) > 10


@needs_voices
def test_it_plays_all_keys_of_the_class_and_nothing_else(path):
    font = sf2_reader.read(path)
    assert sorted(font.programs) == PROGRAMS
    assert not font.kits


@needs_voices
def test_it_is_made_once_and_the_same_again(path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = catalog.find(singers.NAME, [])
    assert made.read_bytes() == path.read_bytes()
    assert catalog.verify(made)[0] == made.stat().st_size
    changed = made.stat().st_mtime_ns
    assert catalog.find(singers.NAME, []) == made
    assert made.stat().st_mtime_ns == changed
    made.write_bytes(made.read_bytes()[:1000])
    with refused("soundfont-damaged", made, "remove the file"):
        catalog.verify(made)


@needs_voices
def test_other_code_makes_another(tmp_path, monkeypatch):
    before = singers.digest()
    (tmp_path / "vowels.py").write_text("# not as it was")
    monkeypatch.setattr(vowels, "__file__", str(tmp_path / "vowels.py"))
    assert singers.digest() != before


def test_missing_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(singers, "VOICES", tmp_path)
    with refused("soundfont-missing", singers.NAME, "festival, espeak-ng, festvox-kallpc16k", singers.INSTALL):
        catalog.find(singers.NAME, [])
    with refused("soundfont-missing", singers.NAME, singers.INSTALL):
        singers.build(tmp_path / singers.NAME)
    assert not list(tmp_path.iterdir())


@needs_voices
@pytest.mark.parametrize("program", ["festival", "espeak-ng"])
def test_a_synthesizer_that_fails_leaves_nothing(tmp_path, monkeypatch, program):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / program).symlink_to("/bin/false")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with refused("synthesizer-failed", singers.NAME, program, "--reinstall"):
        singers.build(tmp_path / singers.NAME)
    assert not (tmp_path / singers.NAME).exists()
