"""Tunings: degrees of scales on paper, and pitches that sound."""

from dataclasses import replace

import numpy as np
import pytest

from instrec.synthesis import tuning
from instrec.synthesis.variation import PLAIN, Performance, draw
from tests.synthesis.pitches import cents, voiced

FLUTE = 73
EVERY = [(name, tonic) for name in tuning.TUNINGS for tonic in (0, 7)]


@pytest.mark.parametrize("chosen", EVERY)
def test_every_pitch_goes_to_the_nearest_degree(chosen):
    pitches, (name, tonic) = tuning.cents(chosen), chosen
    assert (np.diff(pitches) >= 0).all()
    degrees = np.array([*tuning.TUNINGS[name], tuning.OCTAVE_CENTS])
    assert set((pitches - 100 * tonic) % tuning.OCTAVE_CENTS) == set(tuning.TUNINGS[name])
    assert np.abs(pitches - 100 * np.arange(128)).max() <= np.diff(degrees).max() / 2


@pytest.mark.parametrize("chosen", EVERY)
def test_octaves_are_pure_and_the_tonic_keeps_its_pitch(chosen):
    pitches = tuning.cents(chosen)
    assert pitches[12:] == pytest.approx(pitches[:-12] + tuning.OCTAVE_CENTS)
    assert pitches[60 + chosen[1]] == 100 * (60 + chosen[1])


@pytest.mark.parametrize("shift", [-3, 0, 4])
@pytest.mark.parametrize("chosen", [("rast", 5), ("slendro", 5), ("pelog", 3)])
def test_a_note_sounds_as_its_tuning_says(synth, score_of, chosen, shift):
    score = score_of(FLUTE, (69, 0, 2))
    tuned = synth.render(score, 2.0, replace(voiced(zone_shift=shift), tuning=chosen))
    moved = tuning.cents(chosen)[69] - 6900
    assert abs(moved) >= 50
    assert cents(tuned, synth.render(score, 2.0)) == pytest.approx(moved, abs=20)  # samples are not perfectly in tune


def test_drums_have_no_tuning_and_the_next_clip_has_its_own(synth, score_of):
    drums, flute = score_of(None, (47, 0, 1)), score_of(FLUTE, (70, 0, 1))
    plain = synth.render(flute, 1.0).tobytes()
    tuned = Performance(tuning=("pelog", 0))
    assert synth.render(drums, 1.0, tuned).tobytes() == synth.render(drums, 1.0).tobytes()
    assert synth.render(flute, 1.0, tuned).tobytes() != plain
    assert synth.render(flute, 1.0, PLAIN).tobytes() == plain


def test_clips_are_tuned_as_often_as_asked_for_and_else_drawn_alike(full_params, score_of):
    score, often = score_of(FLUTE, (69, 0, 2)), replace(full_params.synth, tuned_probability=0.3)

    def drawn(bounds, seed):
        return draw(np.random.default_rng(seed), bounds, score, classes=(), seconds=3.0)

    tuned = [drawn(often, seed) for seed in range(600)]
    assert {replace(each, tuning=None) for each in tuned} == {drawn(full_params.synth, seed) for seed in range(600)}
    chosen = [each.tuning for each in tuned if each.tuning]
    assert len(chosen) / 600 == pytest.approx(0.3, abs=0.06)
    assert {name for name, _ in chosen} == set(tuning.TUNINGS)
    assert {tonic for _, tonic in chosen} == set(range(12))
