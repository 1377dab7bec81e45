"""A clip may name a SoundFont for each label; each then renders the track of its own class."""

from dataclasses import replace

import numpy as np

from instrec.corpus import manifest
from instrec.synthesis.rendering import Renderer
from tests.synthesis.rendering.clips import CLIP

FONTS = ("TimGM6mb.sf2", "sf_GMbank.sf2")
PAIR = replace(CLIP, id="train/mixture/2-00003", labels=("flute", "piano"))


def with_fonts(*fonts: str) -> manifest.Clip:
    return replace(PAIR, soundfont=manifest.FONTS.join(fonts))


def similarity(one, other) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_the_same_soundfont_twice_sounds_as_once(small_params, data):
    dry = replace(small_params.synth, reverb_probability=0.0, chorus_probability=0.0)
    render = Renderer(replace(small_params, synth=dry), data)
    once, twice = render(with_fonts(FONTS[0])), render(with_fonts(FONTS[0], FONTS[0]))
    assert similarity(once, twice) > 0.999


def test_each_label_is_played_by_its_own(render):
    plain = [render(with_fonts(*fonts)) for fonts in ((FONTS[0],) * 2, FONTS, FONTS[::-1], (FONTS[1],) * 2)]
    for number, one in enumerate(plain):
        for other in plain[:number]:
            assert similarity(one, other) < 0.999


def test_the_row_decides_every_byte(render):
    assert np.array_equal(render(with_fonts(*FONTS)), render(with_fonts(*FONTS)))
