"""A clip may name a SoundFont for each label; each then renders the track of its own class."""

from dataclasses import replace

import numpy as np

from instrec.corpus import manifest
from instrec.synthesis import mixing
from instrec.synthesis.mixing import mix, momentary_level
from instrec.synthesis.rendering import Renderer
from tests.synthesis.rendering.clips import CLIP, RATE, tone

FONTS = ("TimGM6mb.sf2", "sf_GMbank.sf2")
PAIR = replace(CLIP, id="train/mixture/2-00003", labels=("flute", "piano"))


def with_fonts(*fonts: str) -> manifest.Clip:
    return replace(PAIR, soundfont=manifest.FONTS.join(fonts))


def similarity(one, other) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_the_same_soundfont_twice_sounds_as_once_but_for_the_levels(small_params, data, monkeypatch):
    monkeypatch.setattr(mixing, "mix", lambda sounds, levels_db, sample_rate: np.sum(sounds, axis=0))
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


def test_each_track_has_its_level_however_loud_its_soundfont_is():
    loud, soft = (tone(hz, 1.0, RATE).astype(np.float32) for hz in (440.0, 1000.0))
    mixed = mix([np.float32(30) * loud, np.float32(0.02) * soft], [-3.0, -9.0], RATE)
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(mixed))[[440, 1000]])
    assert np.isclose(spectrum[0] - spectrum[1], 6.0, atol=0.05)


def test_a_short_sound_counts_where_it_sounds():
    hit = np.pad(tone(440.0, 0.4, RATE).astype(np.float32), (RATE, RATE))
    assert np.isclose(momentary_level(hit, RATE), 0.01 / np.sqrt(2), rtol=1e-3)


def test_a_silent_track_stays_silent():
    assert not mix([np.zeros(RATE, np.float32)], [0.0], RATE).any()
