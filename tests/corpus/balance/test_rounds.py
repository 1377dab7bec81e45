"""Rounds of regeneration keep what there is and draw the rest anew."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from instrec.corpus import balance
from instrec.corpus.index import MIDI, Entry
from instrec.corpus.manifest import NOISY, SCORE
from tests.corpus.balance.making import held, make, recording


def test_a_round_keeps_what_there_is_and_draws_the_rest_anew(tmp_path, small_params, data):
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    bounds = replace(small_params.balance, train_per_class=40, train_mixtures=120, noisy_share=0.5)
    params = replace(small_params, soundfonts=fonts, balance=bounds)
    entries = [recording(tmp_path, "violin", f"v{group}") for group in range(5)]
    entries.append(Entry(MIDI, "midi/a.mid", 3.0, 1.0, ("flute",), "midi/a.mid"))
    clips = make(params, entries, data)
    rounds = [balance.round_clips(params, clips, number, held(params)) for number in range(4)]
    assert rounds[0] == [clip for clip in clips if clip.split == "train"]
    assert rounds[1] == balance.round_clips(params, clips, 1, held(params))
    for other in rounds[1:]:
        assert_train_quotas(params, other)
        for before, after in zip(rounds[0], other, strict=True):
            assert len(before.labels) == len(after.labels)
            if before.path:
                assert before == after
            else:
                assert (after.split, after.source, after.path) == ("train", SCORE, "")
                assert after.id.split("/")[:2] == before.id.split("/")[:2]
        composed = [clip for clip in other if not clip.path]
        assert Counter(clip.soundfont for clip in composed) == {
            # The rotation goes on.
            fonts.train[(fonts.train.index(font) + rounds.index(other)) % 3]: count
            for font, count in Counter(clip.soundfont for clip in rounds[0] if not clip.path).items()
        }
        assert np.mean([clip.noise == NOISY for clip in composed]) == pytest.approx(0.5, abs=0.12)  # 4 sigma
    drawn = [clip.id for each in rounds for clip in each if not clip.path]
    assert len(set(drawn)) == len(drawn)
    mixed = [[clip.labels for clip in each if "/mixture/" in clip.id] for each in rounds]
    assert all(one != other for one, other in pairwise(mixed))


def test_every_clip_of_every_round_has_a_noisy_twin(tmp_path, small_params, data):
    bounds = replace(small_params.balance, train_per_class=3, train_mixtures=9, noisy_share=0.0)
    plain, doubled = (replace(small_params, balance=replace(bounds, noisy_copies=copies)) for copies in (False, True))
    entries = [recording(tmp_path, "violin", "v0"), Entry(MIDI, "midi/a.mid", 3.0, 1.0, ("flute",), "midi/a.mid")]
    alone, clips = (make(params, entries, data) for params in (plain, doubled))
    for number in range(3):
        once = balance.round_clips(plain, alone, number, held(plain))
        twice = balance.round_clips(doubled, clips, number, held(doubled))
        assert twice[: len(once)] == once
        assert twice[len(once) :] == [replace(clip, id=f"{clip.id}-noisy", noise=NOISY) for clip in once]
    assert sum(clip.split == "valid" for clip in clips) == 2 * sum(clip.split == "valid" for clip in alone)
    tests = [[clip for clip in each if clip.split not in ("train", "valid")] for each in (alone, clips)]
    assert tests[0] == tests[1]


def assert_train_quotas(params, clips) -> None:
    counted = Counter(clip.labels if len(clip.labels) == 1 else "mixture" for clip in clips)
    bounds = params.balance
    expected = {(name,): bounds.train_per_class for name in params.classes}
    assert counted == expected | {"mixture": bounds.train_mixtures}
