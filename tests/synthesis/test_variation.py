"""What is drawn for a clip: within the parameters, as often as asked for, and what relatives of instruments do."""

from dataclasses import replace

import numpy as np
import pytest

from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.variation import draw
from instrec.taxonomy import PIZZICATO
from tests.synthesis.pitches import RATE, cents, font, voiced

FLUTE, VIOLIN, VIOLA = 73, 40, 41


def test_what_is_drawn_stays_within_params(full_params, score_of):
    bounds, score = full_params.synth, score_of(FLUTE, (62, 0, 3), (94, 1, 2))
    for seed in range(300):
        performance = draw(np.random.default_rng(seed), bounds, score, classes=full_params.classes, seconds=3.0)
        (voice,) = performance.voices
        assert abs(voice.detune_cents) <= bounds.detune_cents
        assert voice.program is None  # a piccolo has no note for the lowest of them
        assert abs(voice.zone_shift) <= 2  # no sample beyond the flute's range
        assert -bounds.brightness_cents <= voice.brightness_cents <= 0
        assert max(abs(voice.attack_timecents), abs(voice.release_timecents)) <= bounds.envelope_timecents
        assert 0 <= performance.preroll_seconds <= bounds.preroll_seconds


def test_a_relative_plays_as_often_as_asked_for_and_within_its_range(full_params, score_of):
    bounds, score = full_params.synth, score_of(VIOLIN, (62, 0, 3), (81, 1, 2))
    drawn = [draw(np.random.default_rng(seed), bounds, score, classes=("violin",), seconds=3.0) for seed in range(600)]
    voices = [voice for performance in drawn for voice in performance.voices if voice.program is not None]
    assert len(voices) / 600 == pytest.approx(bounds.relative_probability, abs=0.06)
    assert {voice.program for voice in voices} == {VIOLA}
    assert {voice.zone_shift for voice in voices} == set(range(-7, 0))
    plain = [
        draw(np.random.default_rng(seed), bounds, score, classes=("violin", "viola"), seconds=3.0) for seed in range(99)
    ]
    assert all(performance.voices[0].program is None for performance in plain)


def test_bowed_strings_are_plucked_as_often_as_asked_for(full_params, score_of):
    bounds = replace(full_params.synth, relative_probability=0.0, plucked_probability=0.2)

    def plucked(program: int) -> float:
        score = score_of(program, (62, 0, 3))
        drawn = [draw(np.random.default_rng(seed), bounds, score, classes=(), seconds=3.0) for seed in range(600)]
        return sum(performance.voices[0].program == PIZZICATO for performance in drawn) / len(drawn)

    assert plucked(VIOLIN) == pytest.approx(0.2, abs=0.06)
    assert plucked(FLUTE) == 0


@pytest.mark.parametrize("shift", [-7, -3])
def test_a_relative_keeps_the_pitch_and_sounds_otherwise(synth, score_of, shift):
    score = score_of(VIOLIN, (76, 0, 2))
    plain = synth.render(score, 2.0)
    related = synth.render(score, 2.0, voiced(program=VIOLA, zone_shift=shift))
    assert cents(related, plain) == pytest.approx(0, abs=40)
    assert not np.allclose(related, plain, atol=1e-3)


def test_without_the_relative_an_instrument_plays_itself(full_params, score_of):
    synth = Synth(font(full_params, "FreePats.sf2"), RATE)  # which has no viola
    score = score_of(VIOLIN, (57, 0, 1))
    related = synth.render(score, 1.0, voiced(program=VIOLA, zone_shift=-7))
    assert np.abs(related).max() > 0.01
    assert related.tobytes() == synth.render(score, 1.0, voiced()).tobytes()
