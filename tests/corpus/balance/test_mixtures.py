"""How many instruments mixtures have, which ones, and which SoundFont plays each."""

from collections import Counter
from dataclasses import replace

import pytest

from instrec.corpus import balance, manifest
from instrec.corpus.soundfont_programs import Held
from tests.corpus.balance.making import held, make

FONTS = ("a.sf2", "b.sf2", "c.sf2")


@pytest.fixture
def own(full_params):
    bounds = replace(
        full_params.balance,
        train_per_class=5,
        train_mixtures=400,
        valid_per_class=2,
        valid_mixtures=8,
        mixture_counts=(0, 2, 3, 4),
        ensemble_share=1.0,
    )
    fonts = replace(full_params.soundfonts, train=FONTS, valid=(), mixed=True)
    return replace(full_params, balance=bounds, soundfonts=fonts)


def mixtures(clips) -> list:
    return [clip for clip in clips if clip.split == "train" and len(clip.labels) != 1]


def test_counts_come_in_equal_parts(own, data):
    counted = Counter(len(clip.labels) for clip in mixtures(make(own, [], data)))
    assert counted == {0: 100, 2: 100, 3: 100, 4: 100}


def test_ensembles_are_bands_and_groups_and_no_share_of_them_is_any_instruments(own, data):
    together, any_ = (
        [set(clip.labels) for clip in mixtures(make(params, [], data))]
        for params in (own, replace(own, balance=replace(own.balance, ensemble_share=0.0)))
    )
    pair = {"electric_bass", "cello"}
    assert not any(pair <= labels for labels in together)
    assert any(pair <= labels for labels in any_)


def test_every_instrument_of_a_mixture_has_a_soundfont_that_plays_it(own, data):
    lacking = Held(frozenset(range(128)) - {40}, frozenset())  # no violin and no drums
    clips = make(own, [], data, a=lacking)
    for clip in (*clips, *balance.round_clips(own, clips, 1, held(own, a=lacking))):
        fonts = clip.soundfont.split(manifest.FONTS)
        if len(clip.labels) > 1 and clip.split in ("train", "valid"):
            assert len(fonts) == len(clip.labels)
            for name, font in zip(clip.labels, fonts, strict=True):
                assert font != "a.sf2" or name not in ("violin", "drums")
        else:
            assert len(fonts) == 1
    used = Counter(font for clip in mixtures(clips) if clip.labels for font in clip.soundfont.split(manifest.FONTS))
    assert used.keys() == set(FONTS)
    assert min(used.values()) > 150


def test_test_clips_keep_one_soundfont(own, data):
    bounds = replace(own.balance, composed_per_class=2, composed_mixtures=20)
    clips = make(replace(own, balance=bounds), [], data)
    assert not any(manifest.FONTS in clip.soundfont for clip in clips if clip.split not in ("train", "valid"))


def test_others_join_without_a_label_in_training_and_validation_alone(own, data):
    params = replace(own, balance=replace(own.balance, others_share=0.5, composed_per_class=2, composed_mixtures=40))
    clips = make(params, [], data)
    joined = [clip for clip in clips if not set(clip.labels) <= set(params.classes)]
    learned = [clip for clip in clips if clip.split in ("train", "valid") and "/mixture/" in clip.id]
    assert {clip.split for clip in joined} == {"train", "valid"}
    assert all("/mixture/" in clip.id for clip in joined)
    assert len(joined) / len(learned) == pytest.approx(0.5, abs=0.1)  # 4 sigma
    for clip in joined:
        *known, other = clip.labels
        assert set(known) <= set(params.classes)
        assert other not in params.classes
        assert len(clip.soundfont.split(manifest.FONTS)) == len(clip.labels)
    counts = [len(set(clip.labels) & set(params.classes)) for clip in learned]
    assert Counter(counts) == {0: 102, 2: 102, 3: 102, 4: 102}
    for clip, drawn in zip(
        [clip for clip in clips if clip.split == "train"],
        balance.round_clips(params, clips, 1, held(params)),
        strict=True,
    ):
        assert len(set(clip.labels) & set(params.classes)) == len(set(drawn.labels) & set(params.classes))


def test_no_other_is_one_of_the_programs_of_the_model(own, data):
    programs = replace(own, classes=tuple(f"gm_{program:03}" for program in range(128)))
    params = replace(programs, balance=replace(own.balance, train_per_class=0, others_share=1.0, valid_per_class=0))
    assert all(set(clip.labels) <= set(params.classes) for clip in make(params, [], data) if clip.split == "train")
