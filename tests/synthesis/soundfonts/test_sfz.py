"""SFZ files as libraries write them: what a key sounds while all controllers are at rest."""

import pytest

from instrec.synthesis.soundfonts import sfz
from instrec.synthesis.soundfonts.recorded_notes import Region
from tests.refusals import refused


def regions(tmp_path, text, controllers=None, **files):
    for name, content in files.items():
        (tmp_path / f"{name}.txt").write_text(content)
    path = tmp_path / "own.sfz"
    path.write_text(text)
    return sfz.regions(path, controllers or {})


def test_regions_inherit_from_group_master_and_global(tmp_path):
    text = """
    <control> default_path=Samples\\
    <global> volume=-3 lovel=1
    <master> hivel=90
    <group> lokey=50 hikey=c4 // middle C
    <region> sample=my note.wav pitch_keycenter=58 tune=-20
    <group>
    <region> sample=b.wav key=eb3 volume=2 /* louder
    than the others */ loop_mode=loop_continuous loop_start=10 loop_end=99
    """
    first, second = regions(tmp_path, text)
    assert first == Region(tmp_path / "Samples/my note.wav", 58.2, (50, 60), (1, 90), -3.0)
    assert second == Region(tmp_path / "Samples/b.wav", 51.0, (51, 51), (1, 90), 2.0, (10, 100))


def test_definitions_and_included_files_are_put_in(tmp_path):
    text = '#define $KEY 61\n#define $KEYS 6\n<group> key=$KEY\n#include "part.txt"'
    assert [each.keys for each in regions(tmp_path, text, part="<region> sample=a.wav lovel=$KEYS")] == [(61, 61)]


@pytest.mark.parametrize(
    "opcodes",
    [
        "trigger=release",
        "sample=*sine",
        "locc64=1",
        "hicc20=40",
        "xfin_locc21=0 xfin_hicc21=9",
        "on_locc4=1",
        "sw_last=25",
    ],
)
def test_what_waits_for_something_else_than_a_key_is_left_out(tmp_path, opcodes):
    text = f"<control> set_cc20=64 set_hdcc22=0.5 <global> sw_default=24 <region> sample=a.wav key=60 {opcodes}"
    assert regions(tmp_path, text) == []


def test_controllers_are_at_rest_where_the_file_or_the_entry_puts_them(tmp_path):
    text = "<control> set_hdcc22=0.5 <region> sample=a.wav key=60 locc22=63 hicc22=64 sw_last=24 sw_default=24"
    assert len(regions(tmp_path, text)) == 1
    assert regions(tmp_path, text, {22: 0}) == []


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ('#include "own.sfz"', "file-damaged", "8"),
        ('#include "no.txt"', "file-unreadable", "no.txt"),
        ("<region> sample=a.wav key=h9", "file-damaged", "'h9'"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, text, code, named):
    with refused(code, tmp_path / "own.sfz", named):
        regions(tmp_path, text)


def test_a_file_that_is_missing_is_told(tmp_path):
    with refused("file-unreadable", tmp_path / "none.sfz"):
        sfz.regions(tmp_path / "none.sfz", {})
