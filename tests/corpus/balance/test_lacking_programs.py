"""No clip is given to a SoundFont that lacks its programs."""

from collections import Counter
from dataclasses import replace

import pytest

from instrec.corpus import balance
from instrec.corpus.soundfont_programs import Held
from instrec.synthesis.soundfonts import catalog
from instrec.taxonomy import PROGRAMS
from tests.corpus.balance.making import ALL, held, make
from tests.refusals import refused


@pytest.fixture
def three_fonts(small_params):
    """`b.sf2` has no piano, `c.sf2` no drums, violin or flute."""
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    bounds = replace(small_params.balance, composed_per_class=6, composed_mixtures=12)
    lacking = {"b": Held(ALL.programs - {2}, ALL.kits), "c": Held(frozenset({0, 1, 2, 5}), frozenset())}
    return replace(small_params, soundfonts=fonts, balance=bounds), lacking


def test_no_clip_is_played_by_a_soundfont_that_lacks_its_programs(three_fonts, data):
    params, lacking = three_fonts
    clips = make(params, [], data, **lacking)
    first = [clip for clip in clips if clip.split == "train"]
    clips += [clip for number in (1, 2) for clip in balance.round_clips(params, first, number, held(params, **lacking))]
    fonts: dict[str, set[str]] = {}
    for clip in clips:
        if "unseen" not in clip.split:
            for label in clip.labels or ("silence",):
                fonts.setdefault(label, set()).add(clip.soundfont)
    assert fonts == {
        "violin": {"a.sf2", "b.sf2"},
        "flute": {"a.sf2", "b.sf2"},
        "drums": {"a.sf2", "b.sf2"},
        "piano": {"a.sf2", "c.sf2"},
        "silence": {"a.sf2", "b.sf2", "c.sf2"},
    }
    # Those that can take turns.
    solos = Counter(clip.soundfont for clip in first if clip.labels == ("piano",))
    assert solos == {"a.sf2": 3, "c.sf2": 3}


def test_what_a_soundfont_lacks_changes_no_other_row(three_fonts, data):
    params, lacking = three_fonts
    whole, chosen = make(params, [], data), make(params, [], data, b=lacking["b"])
    for one, other in zip(whole, chosen, strict=True):
        assert replace(one, soundfont="") == replace(other, soundfont="")
        assert one == other or "piano" in one.labels


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ({"sf_GMbank": Held(ALL.programs - {1}, ALL.kits)}, "sf_GMbank.sf2 lacks program 1 (piano)"),
        ({"TimGM6mb": Held(ALL.programs - {40}, ALL.kits)}, "TimGM6mb.sf2 lacks program 40 (violin)"),
        ({"TimGM6mb": Held(frozenset(), ALL.kits)}, "TimGM6mb.sf2 lacks program"),
        ({"sf_GMbank": Held(ALL.programs, frozenset())}, "sf_GMbank.sf2 lacks a drum kit"),
    ],
)
def test_a_class_that_no_soundfont_plays_is_told(small_params, data, lacking, named):
    with refused("program-missing", "params.yaml: soundfonts", named):
        make(small_params, [], data, **lacking)


def test_a_soundfont_that_the_table_does_not_list_is_told(small_params, data):
    with refused("soundfont-unlisted", "datasets/soundfonts.csv", "sf_GMbank.sf2", "`dvc repro download`"):
        balance.make(small_params, [], data, {"TimGM6mb.sf2": ALL})


def test_of_128_programs_none_is_a_piano_under_anothers_label(full_params, data):
    """With the installed SoundFonts; FreePats has 40 of the programs."""
    bounds = replace(full_params.balance, train_per_class=10, train_mixtures=300, composed_mixtures=40)
    fonts = full_params.soundfonts
    params = replace(full_params, classes=tuple(PROGRAMS), balance=bounds)
    installed = catalog.held(fonts.all, fonts.folders)
    clips = balance.make(params, [], data, installed)
    first = [clip for clip in clips if clip.split == "train"]
    clips += balance.round_clips(params, first, 1, installed)
    assert {clip.soundfont for clip in clips if len(clip.labels) == 1} == set(fonts.all)
    assert [clip.id for clip in clips if installed[clip.soundfont].lacks(clip.labels)] == []
