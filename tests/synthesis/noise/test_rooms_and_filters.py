"""Echoes decay as rooms' do, and filters cut where they say."""

import numpy as np
import pytest

from instrec.synthesis import noise
from instrec.synthesis.noise import effects
from instrec.synthesis.noise.table import EFFECTS
from tests.synthesis.noise.sounds import RATE, decay_seconds, flatness, gain_db, impulse, one_step, values_of, white


@pytest.mark.parametrize("rt60", [0.3, 1.0])
def test_a_room_decays_in_its_time(rt60):
    room = effects.impulse_response(RATE, seed=7, rt60_seconds=rt60, damping_hz=5000.0)
    assert decay_seconds(room) == pytest.approx(rt60, rel=0.15)
    assert np.sum(np.square(room, dtype=float)) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("name", ["reverb", "sethi_reverb", "sethi_subtle_reverb"])
def test_reverb_leaves_a_tail_at_its_level(name):
    for seed in range(6):
        values = values_of(name, seed)
        wet = EFFECTS[name].apply(impulse(), RATE, **values)
        assert wet[0] == pytest.approx(0.5, abs=1e-4)
        tail_db = 10 * np.log10(np.sum(np.square(wet[1:], dtype=float)) / 0.25)
        assert tail_db == pytest.approx(-values["direct_db"], abs=0.2)
        end = round(values["rt60_seconds"] * RATE)
        assert np.abs(wet[end + 1 :]).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "shortest", "longest", "nearest_db", "farthest_db"),
    [("sethi_reverb", 0.8, 1.5, -3, 3), ("sethi_subtle_reverb", 0.15, 0.4, 10, 18)],
)
def test_sethis_rooms_have_the_decay_and_the_direct_sound_of_their_names(
    name, shortest, longest, nearest_db, farthest_db
):
    for seed in range(6):
        wet = noise.apply(impulse(), one_step(name, seed), RATE)
        echoes = np.square(wet[1:], dtype=float)
        assert nearest_db - 0.2 < 10 * np.log10(wet[0] ** 2 / echoes.sum()) < farthest_db + 0.2
        assert shortest / 1.15 < decay_seconds(wet[1:]) < longest * 1.15


def test_subtle_reverb_is_weaker_and_shorter():
    for seed in range(10):
        strong, subtle = (values_of(f"sethi_{name}", seed) for name in ("reverb", "subtle_reverb"))
        assert subtle["direct_db"] > strong["direct_db"] + 6
        assert subtle["rt60_seconds"] < strong["rt60_seconds"] / 1.9


CLICK = np.roll(impulse(), 1000)  # what becomes of it is a filter's whole response


@pytest.mark.parametrize(
    ("name", "low_hz", "high_hz"),
    [
        ("sethi_highpass_random", 50, 4000),
        ("sethi_highpass_800_2000", 800, 2000),
        ("sethi_highpass_above_2000", 2000, 4000),
    ],
)
def test_high_passes_cut_below_their_frequency(name, low_hz, high_hz):
    cuts = []
    for seed in range(8):
        drawn = one_step(name, seed)
        cut = drawn[0]["above_hz"]
        after = noise.apply(CLICK, drawn, RATE)
        assert gain_db(CLICK, after, 0.98 * cut, 1.02 * cut) == pytest.approx(-3, abs=0.3)
        assert gain_db(CLICK, after, 0.48 * cut, 0.52 * cut) < -23.5  # an octave below: 24 dB
        assert gain_db(CLICK, after, 0, cut / 2) < -24
        assert gain_db(CLICK, after, min(2 * cut, 9000), 11000) == pytest.approx(0, abs=0.1)
        cuts.append(cut)
    assert low_hz <= min(cuts) < max(cuts) <= high_hz


@pytest.mark.parametrize(
    ("name", "low_hz", "high_hz", "octave_db"),
    [("sethi_manytrees", 400, 1000, 24), ("sethi_tree", 2000, 4000, 12)],
)
def test_trees_cut_above_their_frequency(name, low_hz, high_hz, octave_db):
    cuts = []
    for seed in range(8):
        drawn = one_step(name, seed)
        cut = drawn[0]["below_hz"]
        after = noise.apply(CLICK, drawn, RATE)
        assert gain_db(CLICK, after, 0.98 * cut, 1.02 * cut) == pytest.approx(-3, abs=0.3)
        # Half the sample rate is near, where digital filters fall faster.
        assert -octave_db - 10 < gain_db(CLICK, after, 1.98 * cut, 2.02 * cut) < -octave_db
        assert gain_db(CLICK, after, 2 * cut, 11000) < -octave_db
        assert gain_db(CLICK, after, 0, cut / 2) == pytest.approx(0, abs=0.1)
        cuts.append(cut)
    assert low_hz <= min(cuts) < max(cuts) <= high_hz


def test_many_trees_take_more_than_one():
    for seed in range(10):
        many, one = (noise.apply(white(), one_step(f"sethi_{name}", seed), RATE) for name in ("manytrees", "tree"))
        assert gain_db(one, many, 2000, 11000) < -15


def test_hiss_is_dull_and_white_noise_is_flat():
    y = np.zeros(2 * RATE, np.float32)
    for seed in range(6):
        hiss, flat = (noise.apply(y, one_step(f"sethi_{name}", seed), RATE) for name in ("hiss", "white_noise"))
        cut = values_of("sethi_hiss", seed)["below_hz"]
        assert flatness(flat) > 0.95
        assert flatness(hiss) < 0.5
        low, cut_off, high = (
            gain_db(flat, hiss, *band) for band in ((50, cut / 2), (0.9 * cut, 1.1 * cut), (2 * cut, 11000))
        )
        assert cut_off - low == pytest.approx(-3, abs=1.2)  # two noises: their own ups and downs come in
        assert high - low < -24


def test_equalizer_lifts_its_band_by_its_gain():
    after = effects.equalize(white(), RATE, bands=[[1000.0, 9.0, 1.0], [4000.0, -9.0, 2.0]])
    assert gain_db(white(), after, 980, 1020) == pytest.approx(9, abs=0.7)
    assert gain_db(white(), after, 3950, 4050) == pytest.approx(-9, abs=0.7)
    assert gain_db(white(), after, 20, 80) == pytest.approx(0, abs=0.5)


def test_band_limit_keeps_the_middle():
    for seed in range(12):
        values = values_of("band_limit", seed)
        after = effects.limit_band(white(), RATE, **values)
        above, below = values["above_hz"], values["below_hz"]
        assert above or below
        assert gain_db(white(), after, 900, 1100) == pytest.approx(0, abs=0.5)
        if above:
            assert gain_db(white(), after, 0, above / 2) < -10
        if below and 2 * below < 10500:
            assert gain_db(white(), after, 2 * below, 11000) < -10
