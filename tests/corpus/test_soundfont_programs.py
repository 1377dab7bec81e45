"""What the table of SoundFonts says of each is read back, and decides which of them can play a clip."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus import soundfont_programs
from instrec.corpus.soundfont_programs import Held
from instrec.params import SoundFontParams
from instrec.synthesis.soundfonts import catalog, sf2_writer
from tests.refusals import refused

ALL = Held(frozenset(range(128)), frozenset({0}))
BARE = Held(frozenset({0, 1, 2, 40}), frozenset())


@given(st.frozensets(st.integers(0, 127)))
def test_ranges_are_read_as_they_were_written(numbers):
    assert soundfont_programs._numbers(soundfont_programs.ranges(numbers)) == numbers


def test_the_table_says_what_the_files_hold(tmp_path):
    note = sf2_writer.Note(np.arange(100, dtype=np.int16), 22050, 60.0, (0, 127))
    for name, presets in (("a.sf2", [(0, 0), (0, 1), (0, 9), (128, 7)]), ("b.sf2", [(0, 3), (5, 4)])):
        sf2_writer.write(tmp_path / name, "own", {preset: [note] for preset in presets})
    settings = SoundFontParams(folders=(str(tmp_path),), train=("a.sf2",), valid=(), unseen="b.sf2", mixed=False)
    catalog.write(tmp_path / "soundfonts.csv", settings, ["violin"])
    held = soundfont_programs.read(tmp_path / "soundfonts.csv")
    assert held == {"a.sf2": Held(frozenset({0, 1, 9}), frozenset({7})), "b.sf2": Held(frozenset({3}), frozenset())}
    assert held == catalog.held(settings.all, settings.folders)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,role,bytes,sha256\na.sf2,train,1,0\n",
        "name,programs,kits\na.sf2,0-x,\n",
        "name,programs,kits\na.sf2\n",
    ],
)
def test_another_table_is_told(tmp_path: Path, text):
    path = tmp_path / "soundfonts.csv"
    path.write_text(text)
    if text:
        with refused("table-invalid", path, "`dvc repro download`"):
            soundfont_programs.read(path)
    path.unlink()
    with refused("table-invalid", path, "`dvc repro download`"):
        soundfont_programs.read(path)


def test_soundfonts_take_turns_and_those_that_lack_a_program_pass_theirs_on():
    held = {"a": ALL, "b": BARE, "c": ALL}

    def chosen(*classes: str) -> str:
        return "".join(soundfont_programs.font(held, ("a", "b", "c"), classes, place) for place in range(6))

    assert chosen("piano") == chosen("violin", "piano") == chosen() == "abcabc"
    assert chosen("drums") == chosen("flute") == chosen("piano", "gm_009") == "aacacc"


def test_a_repeated_soundfont_is_taken_more_often():
    held = {"a": ALL, "b": BARE, "c": ALL}
    chosen = [soundfont_programs.font(held, ("a", "b", "c", "c"), ("drums",), place) for place in range(12)]
    assert Counter(chosen) == {"c": 8, "a": 4}


def test_what_none_of_them_holds_is_told():
    with refused(
        "program-missing", "params.yaml: soundfonts", "a lacks program 41 (viola)", "b lacks program 41 (viola)"
    ) as told:
        soundfont_programs.font({"a": BARE, "b": BARE}, ("a", "b"), ("viola",), 0)
    assert "\n" not in str(told.value)
    with refused("program-missing", "params.yaml: soundfonts", "a lacks a drum kit (drums)"):
        soundfont_programs.font({"a": BARE}, ("a",), ("piano", "drums"), 0)
