import itertools
from pathlib import Path

import numpy as np
import pytest

from instrec import params, taxonomy
from instrec.synthesis.soundfonts import catalog, note_overlap, sf2_reader
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK
from instrec.synthesis.soundfonts.sf2_writer import Note, write

CLASSES = ("violin", "flute", "drums")


def note(seed: int, keys: tuple[int, int] = (0, 127)) -> Note:
    pcm = np.random.default_rng(seed).integers(-9000, 9000, size=2000).astype(np.int16)
    return Note(pcm, 22050, 60.0, keys)


def font(path: Path, violin: list[Note], flute: list[Note], drums: list[Note]) -> sf2_reader.SoundFont:
    write(path, "test", {(0, 40): violin, (0, 73): flute, (DRUM_BANK, 0): drums})
    return sf2_reader.read(path)


@pytest.mark.parametrize(("keys", "sounds"), [((0, 54), False), ((0, 55), True), ((93, 127), True), ((94, 127), False)])
def test_only_notes_within_the_range_count(tmp_path, keys, sounds):
    found = font(tmp_path / "a.sf2", [note(1, keys)], [], [])
    assert bool(note_overlap.notes(found, taxonomy.instrument("violin"))) == sounds


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 500])
def test_notes_are_found_wherever_they_lie_and_however_cut(tmp_path, cut):
    """Padding of other lengths in front, so that a note begins at any place of the waveforms."""
    common, own = note(1), note(2)
    shifted = Note(np.concatenate([np.arange(cut, dtype=np.int16), common.pcm[:-3]]), 44100, 72.0, (0, 127))
    learned = font(tmp_path / "a.sf2", [common], [own], [note(5)])
    tested = font(tmp_path / "b.sf2", [note(3)], [note(4), shifted], [])
    assert note_overlap.shared(learned, tested).tolist() == [True, False, False]
    assert note_overlap.overlaps(learned, tested, CLASSES) == {"violin": 1.0}


def test_a_single_drum_in_common_makes_no_kit_known(tmp_path):
    drums = [note(number, (number, number)) for number in range(35, 50)]
    tested = font(tmp_path / "b.sf2", [], [], drums[:1])
    assert note_overlap.overlaps(font(tmp_path / "a.sf2", [], [], drums), tested, CLASSES) == {}
    assert note_overlap.overlaps(font(tmp_path / "c.sf2", [], [], drums[:3]), tested, CLASSES) == {
        "drums": pytest.approx(1 / 3)
    }


def test_notes_of_a_relative_are_learned_as_well(tmp_path):
    """A viola's, which stands for a violin where it is no class itself."""
    own, viola = note(1), note(2)
    write(tmp_path / "a.sf2", "test", {(0, 40): [own], (0, 41): [viola]})
    learned, tested = sf2_reader.read(tmp_path / "a.sf2"), font(tmp_path / "b.sf2", [viola], [], [])
    assert note_overlap.overlaps(learned, tested, CLASSES) == {"violin": 0.5}
    assert note_overlap.overlaps(learned, tested, (*CLASSES, "viola")) == {"viola": 1.0}


def test_silence_is_nobodys(tmp_path):
    silent = Note(np.zeros(500, np.int16), 22050, 60.0, (0, 127))
    one, other = (font(tmp_path / f"{name}.sf2", [silent], [], []) for name in "ab")
    assert not note_overlap.shared(one, other).any()


def test_the_pipelines_own_hear_nothing_of_the_unseen_one(full_params: params.Params):
    settings = full_params.soundfonts
    fonts = {name: sf2_reader.read(catalog.find(name, settings.folders)) for name in settings.all}
    for name in settings.train:
        assert note_overlap.overlaps(fonts[name], fonts[settings.unseen], full_params.classes) == {}


def test_gmbank_is_made_of_the_notes_of_timgm(full_params: params.Params):
    """Why it does not train: one is four fifths of the other."""
    folders = full_params.soundfonts.folders
    one, other = (sf2_reader.read(catalog.find(name, folders)) for name in ("sf_GMbank.sf2", "TimGM6mb.sf2"))
    assert note_overlap.shared(one, other).mean() > 0.6
    for first, second in itertools.permutations((one, other)):
        assert "violin" in note_overlap.overlaps(first, second, CLASSES)
        assert "flute" not in note_overlap.overlaps(
            first, second, (*CLASSES, "gm_072")
        )  # the piccolo, a substitute for the flute
