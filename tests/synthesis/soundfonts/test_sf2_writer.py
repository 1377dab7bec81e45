"""SoundFonts written here, played by FluidSynth."""

from dataclasses import replace

import numpy as np
import pretty_midi
import pytest

from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK
from instrec.synthesis.soundfonts.sf2_writer import Note, write

RATE = 22050


def tone(hz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return np.round(16000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def played(path, program, pitch, seconds=1.0, *, drum=False, length=0.9):
    score = pretty_midi.PrettyMIDI()
    track = pretty_midi.Instrument(program, is_drum=drum)
    track.notes = [pretty_midi.Note(100, pitch, 0.0, length)]
    score.instruments.append(track)
    return Synth(path, RATE).render(score, seconds)


def strongest_hz(y):
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)), 4 * len(y)))
    return spectrum.argmax() * RATE / (4 * len(y))


@pytest.mark.parametrize("key", [57, 69, 76])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_a_note_is_transposed_to_the_key_played(tmp_path, key, rate):
    # Recorded a third of a semitone too high: what is played is in tune all the same.
    note = Note(tone(440 * 2 ** (0.33 / 12), rate=rate), rate, 69.33, (0, 127))
    write(tmp_path / "own.sf2", "own", {(0, 5): [note]})
    catalog.verify(tmp_path / "own.sf2")
    y = played(tmp_path / "own.sf2", 5, key, 0.5)
    assert strongest_hz(y) == pytest.approx(440 * 2 ** ((key - 69) / 12), rel=0.002)


def test_each_key_plays_its_own_note_and_each_bank_its_own_presets(tmp_path):
    whole = Note(tone(200.0), RATE, 55.35, (0, 127))
    low = replace(whole, keys=(0, 59))
    high = Note(tone(1600.0), RATE, 79.35, (60, 127))  # told an octave too low, so it sounds an octave too high
    drum = Note(tone(3000.0), RATE, 38.0, (38, 38))
    write(tmp_path / "own.sf2", "own", {(0, 0): [whole], (0, 1): [low, high], (DRUM_BANK, 0): [drum]})

    def octaves(program, key):
        measured = strongest_hz(played(tmp_path / "own.sf2", program, key, 0.5))
        return np.log2(measured / 440) - (key - 69) / 12

    assert [octaves(0, 59), octaves(0, 60)] == pytest.approx([0, 0], abs=0.01)
    assert [octaves(1, 59), octaves(1, 60)] == pytest.approx([0, 1], abs=0.01)
    assert strongest_hz(played(tmp_path / "own.sf2", 0, 38, 0.5, drum=True)) == pytest.approx(3000, rel=0.01)
    assert not played(tmp_path / "own.sf2", 0, 40, 0.5, drum=True).any()


@pytest.mark.parametrize("loop", [None, (0, 2205)])
def test_a_loop_sounds_as_long_as_the_key_is_held(tmp_path, loop):
    write(tmp_path / "own.sf2", "own", {(0, 0): [Note(tone(200.0, 0.1), RATE, 55.35, (0, 127), loop)]})
    y = played(tmp_path / "own.sf2", 0, 55, 1.5, length=1.0)
    assert np.abs(y[int(0.7 * RATE) : int(0.9 * RATE)]).max() > 0.01 if loop else not y[int(0.3 * RATE) :].any()
    assert np.abs(y[int(1.3 * RATE) :]).max() < 0.01


def test_an_envelope_decays_as_it_is_told(tmp_path):
    note = Note(tone(200.0, 0.1), RATE, 55.35, (0, 127), (0, 2205), decay_seconds=1.0, sustain_db=20.0)
    write(tmp_path / "own.sf2", "own", {(0, 0): [note]})
    y = played(tmp_path / "own.sf2", 0, 55, 1.5, length=1.4)
    first, middle, last = (np.abs(y[int(t * RATE) : int((t + 0.005) * RATE)]).max() for t in (0.0, 0.1, 1.0))
    assert 20 * np.log10(first / last) == pytest.approx(20, abs=1.5)
    assert 20 * np.log10(first / middle) == pytest.approx(10, abs=1.5)


def test_the_same_notes_give_the_same_bytes(tmp_path):
    note = Note(tone(440.0), RATE, 69.0, (0, 127))
    for name in ("one.sf2", "two.sf2"):
        write(tmp_path / name, "own", {(0, 0): [note], (0, 1): [note]})
    one = (tmp_path / "one.sf2").read_bytes()
    assert one == (tmp_path / "two.sf2").read_bytes()
    assert len(one) < 2 * 2 * len(note.pcm)  # what two presets share is there once
