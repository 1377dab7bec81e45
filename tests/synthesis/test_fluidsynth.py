"""Rendering with the real FluidSynth: exact length, the same bytes every time, pitch where it is said to be."""

from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from instrec import scores
from instrec.params import load
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog, sf2_writer
from instrec.synthesis.variation import PLAIN, Performance, draw
from instrec.taxonomy import INSTRUMENTS, PROGRAMS, RANGE_OF_PROGRAM
from tests.refusals import refused
from tests.synthesis.pitches import RATE, centroid, cents, font, hertz, voiced

FONTS = load(Path(__file__).parents[2] / "params.yaml").soundfonts.all
ORGAN, FLUTE, PIANO, VIOLIN, VIOLA = 19, 73, 0, 40, 41
REVERB, CHORUS = (0.9, 0.1, 1.0, 0.9), (3, 1.0, 0.5, 5.0)


@pytest.mark.parametrize("seconds", [1 / RATE, 63 / RATE, 64 / RATE, 65 / RATE, 0.5, 1.0, 2.99999])
@pytest.mark.parametrize("preroll", [0.0, 0.1234])
def test_the_length_is_exact(synth, score_of, seconds, preroll):
    y = synth.render(score_of(ORGAN, (60, 0, 9)), seconds, Performance(preroll_seconds=preroll))
    assert (y.shape, y.dtype) == ((round(seconds * RATE),), np.float32)
    assert np.isfinite(y).all()


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_a_note_has_its_pitch_at_every_sample_rate(full_params, score_of, rate):
    y = Synth(font(full_params), rate).render(score_of(ORGAN, (69, 0, 2)), 2)
    assert len(y) == 2 * rate
    assert hertz(y, rate) == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize("performance", [PLAIN, Performance(reverb=REVERB), Performance(reverb=REVERB, chorus=CHORUS)])
def test_an_empty_score_is_silence(synth, score_of, performance):
    for score in (pretty_midi.PrettyMIDI(), score_of(VIOLIN), score_of(VIOLIN, (60, 5, 6))):
        y = synth.render(score, 0.7, performance)
        assert len(y) == round(0.7 * RATE)
        assert not y.any()


def test_a_note_begins_when_it_should(synth, score_of):
    y = synth.render(score_of(PIANO, (60, 0.5, 0.9)), 1.0)
    assert not y[: round(0.497 * RATE)].any()
    assert np.abs(y[round(0.5 * RATE) : round(0.55 * RATE)]).max() > 0.01
    earlier = synth.render(score_of(PIANO, (60, 0.5, 0.9)), 0.5, Performance(preroll_seconds=0.5))
    assert np.abs(earlier[: round(0.05 * RATE)]).max() > 0.01


def compositions(full_params, count: int):
    """Scores of several classes with performances that use every effect."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        classes = tuple(rng.choice(sorted(INSTRUMENTS), size=seed % 4, replace=False).tolist())
        score = scores.compose(rng, classes, 1.8)
        yield score, draw(rng, full_params.synth, score, classes=full_params.classes, seconds=1.0)


def test_a_clips_samples_depend_on_nothing_rendered_before(full_params):
    """Forwards, backwards, and each in a synthesizer of its own."""
    clips = list(compositions(full_params, 24))
    assert any(performance.reverb for _, performance in clips)
    assert any(performance.chorus for _, performance in clips)
    shared = Synth(font(full_params), RATE)
    forwards = [shared.render(score, 1.0, performance).tobytes() for score, performance in clips]
    backwards = [shared.render(score, 1.0, performance).tobytes() for score, performance in reversed(clips)]
    assert backwards[::-1] == forwards
    for (score, performance), expected in zip(clips, forwards, strict=True):
        fresh = Synth(font(full_params), RATE)
        assert fresh.render(score, 1.0, performance).tobytes() == expected
        fresh.close()
    shared.close()


def test_two_synthesisers_do_not_disturb_each_other(full_params):
    clips = list(compositions(full_params, 6))
    one, other = Synth(font(full_params), RATE), Synth(font(full_params, "sf_GMbank.sf2"), RATE)
    alone = [one.render(score, 1.0, performance).tobytes() for score, performance in clips]
    for (score, performance), expected in zip(clips, alone, strict=True):
        other.render(score, 1.0, performance)
        assert one.render(score, 1.0, performance).tobytes() == expected


# ---- what a voice changes


@pytest.mark.parametrize("program", [ORGAN, FLUTE])
@pytest.mark.parametrize("detuned", [-30.0, 12.5, 30.0])
def test_detuning_moves_the_pitch_by_so_many_cents(synth, score_of, program, detuned):
    score = score_of(program, (69, 0, 2))
    moved = synth.render(score, 2.0, voiced(detune_cents=detuned))
    assert cents(moved, synth.render(score, 2.0)) == pytest.approx(detuned, abs=3)


@pytest.mark.parametrize("program", [ORGAN, FLUTE, PIANO])
@pytest.mark.parametrize("shift", [-4, -1, 3, 4])
def test_a_zone_shift_keeps_the_pitch(synth, score_of, program, shift):
    score = score_of(program, (69, 0, 2))
    shifted, plain = synth.render(score, 2.0, voiced(zone_shift=shift)), synth.render(score, 2.0)
    assert cents(shifted, plain) == pytest.approx(0, abs=20)  # SoundFonts' samples are not perfectly in tune


def test_a_zone_shift_changes_the_colour(synth, score_of):
    """A piano has another sample every few keys: over six keys and both ways some must change."""
    changed = 0
    for pitch in range(60, 66):
        score = score_of(PIANO, (pitch, 0, 1))
        plain = synth.render(score, 1.0)
        changed += any(
            abs(centroid(synth.render(score, 1.0, voiced(zone_shift=shift))) / centroid(plain) - 1) > 0.02
            for shift in (-4, 4)
        )
    assert changed >= 3


def test_brightness_volume_attack_and_release_do_what_they_say(synth, score_of):
    score = score_of(VIOLIN, (69, 0, 0.5))
    plain = synth.render(score, 1.5)
    assert centroid(synth.render(score, 1.5, voiced(brightness_cents=-2400))) < 0.9 * centroid(plain)
    assert np.abs(synth.render(score, 1.5, voiced(volume=50))).max() < 0.5 * np.abs(plain).max()
    after = slice(round(0.6 * RATE), None)
    longer, shorter = (synth.render(score, 1.5, voiced(release_timecents=cents)) for cents in (3600, -3600))
    assert np.square(longer[after]).sum() > np.square(plain[after]).sum() > np.square(shorter[after]).sum()
    at_first = slice(0, round(0.1 * RATE))
    slower = synth.render(score, 1.5, voiced(attack_timecents=4800))
    assert np.square(slower[at_first]).sum() < np.square(plain[at_first]).sum()


def test_drums_have_kits_to_draw_from(synth, score_of):
    score = score_of(None, (38, 0, 0.3))
    sounds = {synth.render(score, 0.5, voiced(kit=kit)).tobytes() for kit in np.linspace(0, 0.999, 12)}
    assert len(sounds) > 1
    assert all(np.frombuffer(sound, np.float32).any() for sound in sounds)


def test_more_tracks_than_channels_all_sound(synth):
    """Twenty melodic tracks, each at a time of its own."""
    score = pretty_midi.PrettyMIDI()
    for number in range(20):
        track = pretty_midi.Instrument(PIANO)
        track.notes = [pretty_midi.Note(100, 40 + number, number * 0.1, number * 0.1 + 0.05)]
        score.instruments.append(track)
    y = synth.render(score, 2.0)
    for number in range(20):
        begin = round((number * 0.1 + 0.01) * RATE)
        assert np.abs(y[begin : begin + round(0.04 * RATE)]).max() > 0.005


# ---- programs that a SoundFont lacks


@pytest.mark.parametrize("program", [VIOLA, 22, 127])
def test_a_program_that_is_missing_is_told_not_played_by_a_piano(full_params, score_of, program):
    synth = Synth(font(full_params, "FreePats.sf2"), RATE)
    with refused("program-missing", synth.soundfont, f"program {program} ", "params.yaml: soundfonts"):
        synth.render(score_of(program, (60, 0, 1)), 1.0)
    synth.render(score_of(VIOLIN, (60, 0, 1)), 1.0)  # it goes on


def test_a_drum_kit_that_is_missing_is_told(tmp_path, score_of):
    sf2_writer.write(
        tmp_path / "own.sf2", "own", {(0, 0): [sf2_writer.Note(np.arange(999, dtype=np.int16), RATE, 60.0, (0, 127))]}
    )
    synth = Synth(tmp_path / "own.sf2", RATE)
    with refused("program-missing", tmp_path / "own.sf2", "bank 128"):
        synth.render(score_of(None, (38, 0, 1)), 1.0)


@pytest.mark.parametrize("name", FONTS)
def test_no_program_of_any_soundfont_is_its_first(full_params, score_of, name):
    """Every class's and every General MIDI program; pianos may share recorded notes."""
    synth = Synth(font(full_params, name), RATE)
    held = catalog.held([name], full_params.soundfonts.folders)[name]

    def sound(program: int, pitch: int) -> np.ndarray:
        y = synth.render(score_of(program, (pitch, 0, 0.1)), 0.15)
        return y / max(float(np.linalg.norm(y)), 1e-9)

    programs = {program for each in PROGRAMS.values() for program in each.programs}
    assert programs == set(range(128))
    for program in sorted(held.programs - {0, 1, 2, 3}):
        low, high = RANGE_OF_PROGRAM.get(program, (60, 60))
        pitch = (low + high) // 2
        assert sound(program, pitch) @ sound(0, pitch) < 0.98, program
    for program in programs - held.programs:
        with refused("program-missing", synth.soundfont, f"program {program} "):
            sound(program, 60)
    synth.close()


# ---- damage


@pytest.mark.parametrize("damage", ["missing", "folder", "empty", "text", "header alone", "cut short"])
def test_a_corrupt_soundfont_is_named(tmp_path, full_params, damage):
    path = tmp_path / "own.sf2"
    whole = font(full_params, "sf_GMbank.sf2").read_bytes()
    contents = {
        "empty": b"",
        "text": b"no SoundFont",
        "header alone": whole[:40],
        "cut short": whole[: len(whole) // 2],
    }
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(contents[damage])
    with refused("soundfont-damaged", path):
        Synth(path, RATE)
