"""The classes fit together, and every one of them sounds in every SoundFont of params.yaml."""

from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from instrec import taxonomy
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from tests.refusals import refused

SOUNDFONTS = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())["soundfonts"]
AUDIBLE = 10 ** (-50 / 20)


def test_a_program_stands_for_one_class_and_has_a_range():
    programs = [program for each in taxonomy.INSTRUMENTS.values() for program in each.programs]
    assert len(set(programs)) == len(programs)
    assert taxonomy.CLASS_OF_PROGRAM.keys() == taxonomy.RANGE_OF_PROGRAM.keys() == set(programs)
    for program, (low, high) in taxonomy.RANGE_OF_PROGRAM.items():
        assert 0 <= program <= 127
        assert 0 <= low <= high - 24 <= 103  # two octaves at least, as chords need
        assert program in taxonomy.INSTRUMENTS[taxonomy.CLASS_OF_PROGRAM[program]].programs


def test_programs_mean_in_general_midi_what_their_class_says():
    words = {"electric_bass": ("Bass",), "double_bass": ("Acoustic Bass", "Contrabass")}
    words |= dict.fromkeys(("acoustic_guitar", "electric_guitar"), ("Guitar",))
    words |= {"saxophone": ("Sax",), "voice": ("Choir", "Voice", "voice")}
    words |= {
        "mallet_percussion": ("Glockenspiel", "Vibraphone", "Marimba", "Xylophone"),
        "synthesizer": ("Lead", "Pad"),
    }
    words |= {"cor_anglais": ("English Horn",), "french_horn": ("French Horn",)}
    for program, name in taxonomy.CLASS_OF_PROGRAM.items():
        title = pretty_midi.program_to_instrument_name(program)
        assert any(word in title for word in words.get(name, (name.title(),))), (name, title)


def test_a_relative_is_no_class_itself():
    programs = {40: "viola", 68: "cor_anglais", 56: "trombone", 73: "gm_072", 0: "gm_003"}
    for program, name in programs.items():
        related = taxonomy.substitutes(program, taxonomy.INSTRUMENTS.keys() - {name})
        found = {each.program for each in taxonomy.substitutes(program, ())}
        assert found - {each.program for each in taxonomy.substitutes(program, (name,))} == {
            int(name[3:]) if name.startswith("gm_") else next(iter(taxonomy.INSTRUMENTS[name].programs))
        }
        assert {each.program for each in related} <= found
    assert not any(taxonomy.substitutes(program, taxonomy.PROGRAMS) for program in range(128))


def test_a_relative_has_notes_for_most_of_a_range():
    for program, (low, high) in taxonomy.RANGE_OF_PROGRAM.items():
        for each in taxonomy.substitutes(program, ()):
            played = [
                pitch
                for pitch in range(low, high + 1)
                if any(
                    each.pitches[0] <= pitch + distance <= each.pitches[1]
                    for distance in range(each.transposed[0], each.transposed[1] + 1)
                )
            ]
            assert len(played) > 0.6 * (high - low)


def test_titles_are_what_people_read():
    assert taxonomy.instrument("electric_bass").title == "electric bass"
    assert taxonomy.instrument("gm_040").title == "Violin"
    assert taxonomy.instrument("gm_000").title == "Acoustic Grand Piano"


@pytest.mark.parametrize("name", [*SOUNDFONTS["train"], *SOUNDFONTS["valid"], SOUNDFONTS["unseen"]])
def test_every_range_is_audible_in_every_soundfont(name, score_of):
    """From the lowest to the highest note of each program, an octave's third at a time; and the drums we play."""
    synth = Synth(catalog.find(name, SOUNDFONTS["folders"]), 22050)
    held = catalog.held([name], SOUNDFONTS["folders"])[name]
    lacked = {"FreePats.sf2": {22, 41, 105}}.get(name, set())  # harmonica, viola, banjo
    assert held.programs >= taxonomy.RANGE_OF_PROGRAM.keys() - lacked
    pitches = [
        (program, pitch)
        for program, (low, high) in taxonomy.RANGE_OF_PROGRAM.items()
        if program not in lacked
        for pitch in {*range(low, high, 4), high}
    ]
    silent = [
        (program, pitch)
        for program, pitch in [*pitches, *((None, key) for key in range(35, 60) if key != 58)]
        if np.abs(synth.render(score_of(program, (pitch, 0, 0.2)), 0.2)).max() < AUDIBLE
    ]
    synth.close()
    assert silent == []


@pytest.mark.parametrize("name", taxonomy.INSTRUMENTS)
def test_a_class_is_known_however_it_is_written(name):
    for written in (name, name.upper(), name.replace("_", " ").title(), name.replace("_", "-"), f"  {name} "):
        assert taxonomy.class_named(written) == name
    assert taxonomy.INSTRUMENTS[name].title == name.replace("_", " ")


def test_aliases_lead_to_classes_and_hide_none():
    assert set(taxonomy.ALIASES.values()) <= taxonomy.INSTRUMENTS.keys()
    assert not taxonomy.ALIASES.keys() & taxonomy.INSTRUMENTS.keys()
    assert taxonomy.class_named("Contra-Bass") is None
    assert taxonomy.class_named("Upright Bass") == "double_bass"


@given(st.text())
def test_any_text_is_a_class_or_none(text):
    assert taxonomy.class_named(text) in {*taxonomy.INSTRUMENTS, None}


def test_unknown_and_repeated_classes_are_refused():
    assert taxonomy.require(("piano", "violin")) == ("piano", "violin")
    with refused("value-unknown", "params.yaml: classes", "'kazoo'", "violin"):
        taxonomy.require(("piano", "kazoo"))
    with refused("value-repeated", "params.yaml: classes"):
        taxonomy.require(("piano", "piano"))
