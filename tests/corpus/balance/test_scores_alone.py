"""Without recordings all is synthesized: quotas, SoundFonts, noise, and what the test sets hold."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instrec.corpus.manifest import CLEAN, NOISY, SCORE
from instrec.corpus.test_sets import COMPOSED, TEST_SETS
from instrec.taxonomy import PROGRAMS
from tests.corpus.balance.making import CLASSES, assert_quotas, make


def test_without_recordings_all_is_synthesised(small_params, data):
    clips = make(small_params, [], data)
    assert_quotas(small_params, clips)
    assert {clip.source for clip in clips} == {SCORE}
    assert {clip.split for clip in clips} == {"train", "valid", *(each.name for each in TEST_SETS)}
    assert len({clip.id for clip in clips}) == len(clips)


def test_mixtures_have_none_two_and_three_instruments_in_equal_parts(small_params, data):
    clips = make(small_params, [], data)
    counts = Counter(len(clip.labels) for clip in clips if clip.split == "train" and "/mixture/" in clip.id)
    assert counts == {0: 3, 2: 3, 3: 3}


def test_soundfonts_have_equal_parts_and_the_unseen_one_is_unseen(small_params, data):
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2"), valid=("c.sf2",))
    clips = make(replace(small_params, soundfonts=fonts), [], data)
    used = Counter((clip.split, clip.soundfont) for clip in clips)
    # Six clips per class and nine mixtures, in turn.
    assert abs(used["train", "a.sf2"] - used["train", "b.sf2"]) <= 1
    assert {font for split, font in used if split == "train"} == {"a.sf2", "b.sf2"}
    assert {font for split, font in used if split == "valid"} == {"c.sf2"}
    for test_set in TEST_SETS:
        expected = {fonts.unseen} if test_set.unseen else {"a.sf2", "b.sf2"}
        assert {font for split, font in used if split == test_set.name} == expected
    without = make(replace(small_params, soundfonts=replace(fonts, valid=())), [], data)
    assert {clip.soundfont for clip in without if clip.split == "valid"} == {"a.sf2", "b.sf2"}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_noisy_share_is_near_what_was_asked_for(small_params, data, share):
    bounds = replace(small_params.balance, train_per_class=300, train_mixtures=450, noisy_share=share)
    clips = [clip for clip in make(replace(small_params, balance=bounds), [], data) if clip.split == "train"]
    for part in (*(f"train/solo/{name}" for name in CLASSES), "train/mixture"):
        noises = [clip.noise for clip in clips if clip.id.startswith(part) and clip.labels]
        assert len(noises) == 300
        assert set(noises) <= {CLEAN, NOISY}
        assert np.mean([noise == NOISY for noise in noises]) == pytest.approx(share, abs=0.1)  # 3.5 sigma
    # Without instruments noise is all there is, if there is any.
    assert {clip.noise for clip in clips if not clip.labels} == {NOISY if share else CLEAN}


def test_the_test_sets_hold_the_same_scores_in_the_same_order(small_params, data):
    clips = make(small_params, [], data)
    for test_set in TEST_SETS[:4]:
        part = [clip for clip in clips if clip.split == test_set.name]
        assert [(Path(clip.path).name, clip.labels) for clip in part] == [
            ("violin-000.mid", ("violin",)),
            ("2-000-flute+piano.mid", ("flute", "piano")),
        ]
        assert {clip.noise for clip in part} == {test_set.noise}
        assert [clip.id for clip in part] == [
            f"{test_set.name}/solo/violin-000",
            f"{test_set.name}/mixture/2-000-flute+piano",
        ]


def test_an_excerpt_is_asked_about_as_a_whole(small_params, data):
    """Clips of a second, half a second apart, wherever clips of recordings start."""
    for start in ("hop", "onset"):
        chosen = replace(small_params.selection, start=start)
        clips = make(replace(small_params, selection=chosen), [], data)
        windows = [clip for clip in clips if clip.split == "unseen_excerpts"]
        assert [clip.onset for clip in windows] == [0.0, 0.5, 1.0, 1.5]
        assert [clip.id for clip in windows][1] == "unseen_excerpts/excerpt/000-piano@00000.50"
        assert {(clip.labels, clip.group, clip.soundfont, clip.noise) for clip in windows} == {
            (("piano",), "excerpt/000-piano", small_params.soundfonts.unseen, CLEAN)
        }


def test_programs_are_asked_about_the_instruments_that_they_stand_for(small_params, data):
    clips = make(replace(small_params, classes=tuple(PROGRAMS)), [], data)
    asked = {clip.labels for clip in clips if clip.split in {each.name for each in TEST_SETS}}
    assert asked == {("violin",), ("tuba",), ("flute", "piano"), ("piano",)}
    assert {name for clip in clips if clip.split == "train" for name in clip.labels} == set(PROGRAMS)


def test_programs_that_stand_for_no_instrument_are_asked_nothing_by_the_frozen_scores(small_params, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data/mixture/0-000-silence.mid").touch()
    clips = make(replace(small_params, classes=("gm_120", "gm_121", "gm_122")), [], tmp_path / "data")
    assert {clip.split for clip in clips} == {"train", "valid"}


def test_composed_test_sets_hold_the_same_scores_clean_noisy_and_unseen(small_params, data):
    bounds = replace(small_params.balance, composed_per_class=2, composed_mixtures=9)
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    plain = make(replace(small_params, soundfonts=fonts), [], data)
    clips = make(replace(small_params, soundfonts=fonts, balance=bounds), [], data)
    assert clips[: len(plain)] == plain
    clean, noisy, unseen = ([clip for clip in clips[len(plain) :] if clip.split == split] for split in COMPOSED)
    assert [clip.noise for clip in clean] == [CLEAN] * 17
    assert [
        replace(clip, id=clip.id.replace("clean", "noisy"), split="composed_noisy", noise=NOISY) for clip in clean
    ] == noisy
    assert [
        replace(clip, id=clip.id.replace("clean", "unseen"), split="composed_unseen", soundfont=fonts.unseen)
        for clip in clean
        if "/solo/" in clip.id
    ] == unseen
    assert [clip.id for clip in clean][:3] == [
        "composed_clean/solo/violin-00000",
        "composed_clean/solo/violin-00001",
        "composed_clean/solo/flute-00000",
    ]
    assert Counter(len(clip.labels) for clip in clean) == {0: 3, 1: 8 + 2, 2: 2, 3: 2}
    assert Counter(clip.soundfont for clip in clean) == {"a.sf2": 6, "b.sf2": 6, "c.sf2": 5}
    composed = [clip.group for clip in clips if not clip.path]
    assert len(set(composed)) == len(composed) - 17 - 8
