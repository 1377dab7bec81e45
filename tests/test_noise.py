"""Noise: every effect keeps the contract, and does what its name says as far as one can measure it."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec import noise
from instrec.errors import UserError
from instrec.noise import backgrounds, effects
from instrec.noise.draws import EFFECTS, SETHI_EFFECTS
from instrec.params import NoiseParams

RATE = 22050
CHANCES = [field.name for field in dataclasses.fields(NoiseParams) if field.name.endswith("_probability")]
NONE = NoiseParams(**dict.fromkeys(CHANCES, 0.0), min_snr_db=5.0, max_snr_db=40.0)
BOUNDS = NoiseParams(**{**dict.fromkeys(CHANCES, 0.4), "sethi_probability": 0.3}, min_snr_db=5.0, max_snr_db=40.0)


def tone(samples=RATE, hz=440.0):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / RATE)).astype(np.float32)


def white(samples=2 * RATE):
    return (0.1 * np.random.default_rng(5).standard_normal(samples)).astype(np.float32)


def impulse(samples=2 * RATE):
    y = np.zeros(samples, np.float32)
    y[0] = 0.5
    return y


def one_step(name, seed=0, bounds=BOUNDS):
    return noise.Noise((noise.Step(name, EFFECTS[name].draw(np.random.default_rng(seed), bounds, RATE)),))


def decibels(a, b):
    return 10 * np.log10(np.mean(np.square(a, dtype=float)) / np.mean(np.square(b, dtype=float)))


def gain_db(before, after, low_hz, high_hz):
    """Level of a frequency band after, relative to before."""
    hz = np.fft.rfftfreq(len(before), 1 / RATE)
    band = (hz >= low_hz) & (hz < high_hz)
    return decibels(np.abs(np.fft.rfft(after))[band], np.abs(np.fft.rfft(before))[band])


def flatness(y):
    """Geometric over arithmetic mean of a smoothed power spectrum: near 1 for white noise."""
    frames = y[: len(y) // 512 * 512].reshape(-1, 512)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(512))) ** 2, axis=0)[2:-2]
    return np.exp(np.mean(np.log(power))) / np.mean(power)


def decay_seconds(room):
    """The time in which echoes fall by 60 dB, from their fall by the first 25 (Schroeder's backward integral)."""
    left = np.cumsum(np.square(room[::-1], dtype=float))[::-1]
    left_db = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    start, stop = np.argmax(left_db < -5), np.argmax(left_db < -25)
    return -60 / np.polyfit(np.arange(start, stop) / RATE, left_db[start:stop], 1)[0]


INPUTS = {
    "tone": tone(),
    "silence": np.zeros(4000, np.float32),
    "one sample": np.array([0.3], np.float32),
    "one silent sample": np.zeros(1, np.float32),
    "two samples": np.array([0.3, -0.9], np.float32),
    "clipped": np.sign(tone(3001)),
    "too loud": 7 * tone(997),
    "faint": np.float32(1e-30) * tone(5000),
    "one stroke": impulse(9000),
}


@pytest.mark.parametrize("y", INPUTS.values(), ids=INPUTS.keys())
@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_on_every_input(name, y):
    for seed in range(5):
        drawn = one_step(name, seed)
        before = y.copy()
        noisy = noise.apply(y, drawn, RATE)
        assert noisy.shape == y.shape
        assert noisy.dtype == np.float32
        assert np.isfinite(noisy).all()
        assert np.abs(noisy).max() <= 1
        assert noisy.tobytes() == noise.apply(y, drawn, RATE).tobytes()
        assert np.array_equal(y, before)


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_changes_what_sounds(name):
    y = white()
    changed = noise.apply(y, one_step(name), RATE)
    assert not np.allclose(changed, y, atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_at_every_rate(name, rate):
    for seed in range(10):
        step = noise.Step(name, EFFECTS[name].draw(np.random.default_rng(seed), BOUNDS, rate))
        noisy = noise.apply(white(4000), noise.Noise((step,)), rate)
        assert np.isfinite(noisy).all()
        assert noisy.any()


@pytest.mark.parametrize("rate", [2000, 8000, 16000])
def test_noise_drawn_for_a_higher_rate_stays_stable(rate):
    for name in EFFECTS:
        for seed in range(20):
            noisy = noise.apply(white(8000), one_step(name, seed), rate)
            assert np.isfinite(noisy).all(), name
            assert noisy.any(), name


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 3000))
def test_a_drawn_chain_survives_json_and_gives_the_same_bytes(seed, samples):
    drawn = noise.draw(np.random.default_rng(seed), BOUNDS, RATE)
    again = noise.from_json(json.loads(json.dumps(noise.to_json(drawn))))
    y = tone(samples)
    noisy = noise.apply(y, drawn, RATE)
    assert again == drawn
    assert noise.apply(y, again, RATE).tobytes() == noisy.tobytes()
    assert np.isfinite(noisy).all()
    assert np.abs(noisy).max() <= 1


def test_global_random_state_is_neither_used_nor_moved():
    drawn = [one_step(name) for name in EFFECTS]
    results = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002 - the state others might use is what is tested
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        results.append([noise.apply(tone(), one, RATE).tobytes() for one in drawn])
        assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert results[0] == results[1]


# ---- drawing


def test_probabilities_are_kept():
    drawn = [noise.draw(np.random.default_rng(seed), BOUNDS, RATE) for seed in range(1500)]
    names = [step.name for one in drawn for step in one.steps]
    share = {name: names.count(name) / len(drawn) for name in EFFECTS}
    # Clips for which nothing came up (4 in 100) get one effect more, so shares lie slightly over.
    for name in ("equalizer", "reverb", "band_limit", "distortion", "background"):
        wanted = getattr(BOUNDS, f"{name}_probability")
        assert wanted - 0.05 < share[name] < wanted + 0.07, name
    assert 0.25 < sum(share[name] for name in SETHI_EFFECTS) < 0.37
    assert all(share[name] > 0.3 / 9 / 2 for name in SETHI_EFFECTS)


def test_noisy_means_noisy():
    rare = dataclasses.replace(NONE, distortion_probability=1e-9)
    assert [step.name for step in noise.draw(np.random.default_rng(0), rare, RATE).steps] == ["distortion"]
    assert noise.draw(np.random.default_rng(0), NONE, RATE).steps == ()


def test_what_is_off_never_comes_up():
    only_sethi = dataclasses.replace(NONE, sethi_probability=1.0)
    for seed in range(60):
        (step,) = noise.draw(np.random.default_rng(seed), only_sethi, RATE).steps
        assert step.name in SETHI_EFFECTS


def test_each_of_the_nine_comes_up_as_often_as_any_other():
    only_sethi = dataclasses.replace(NONE, sethi_probability=1.0)
    drawn = [noise.draw(np.random.default_rng(seed), only_sethi, RATE).steps for seed in range(4500)]
    assert {len(steps) for steps in drawn} == {1}
    counted = Counter(step.name for (step,) in drawn)
    assert counted.keys() == SETHI_EFFECTS.keys()
    assert len(counted) == 9
    # Eight degrees of freedom: a fair draw passes 26.1 once in a thousand times.
    assert sum((count - 500) ** 2 / 500 for count in counted.values()) < 26.1


def test_bounds_the_wrong_way_round_are_the_users_to_mend():
    with pytest.raises(UserError, match=r"noise.min_snr_db: 50 is above max_snr_db, 40"):
        noise.draw(np.random.default_rng(0), dataclasses.replace(BOUNDS, min_snr_db=50.0), RATE)


def test_an_unknown_effect_is_named():
    with pytest.raises(KeyError, match="wobble"):
        noise.from_json([{"effect": "wobble"}])


# ---- background


@pytest.mark.parametrize("name", ["background", "sethi_hiss", "sethi_white_noise"])
def test_snr_is_the_one_asked_for(name):
    y = tone()
    for seed in range(12):
        drawn = one_step(name, seed)
        values = drawn.steps[0].values
        noisy = EFFECTS[name].apply(y, RATE, **values)
        assert BOUNDS.min_snr_db <= values["snr_db"] <= BOUNDS.max_snr_db
        assert decibels(y, noisy - y) == pytest.approx(values["snr_db"], abs=0.1)
        scaled = noise.apply(y, drawn, RATE)  # as a whole, so the ratio stays
        assert np.allclose(scaled, noisy / max(1, np.abs(noisy).max()), atol=1e-6)


def test_silence_gets_noise_at_the_drawn_level():
    for seed in range(8):
        drawn = one_step("background", seed)
        noisy = noise.apply(np.zeros(RATE, np.float32), drawn, RATE)
        assert -60 <= drawn.steps[0].values["silence_dbfs"] <= -20
        assert decibels(noisy, np.ones(1)) == pytest.approx(drawn.steps[0].values["silence_dbfs"], abs=0.1)


@pytest.mark.parametrize(("probability", "backgrounds_of_200"), [(0.1, 200), (0.0, 0)])
def test_alone_there_is_a_background_and_often_speech(probability, backgrounds_of_200):
    bounds = dataclasses.replace(BOUNDS, background_probability=probability)
    drawn = [noise.draw(np.random.default_rng(seed), bounds, RATE, alone=True) for seed in range(200)]
    colors = [step.values["color"] for each in drawn for step in each.steps if step.name == "background"]
    assert len(colors) == backgrounds_of_200
    assert colors.count("speech") == pytest.approx(0.4 * backgrounds_of_200, abs=24)


@pytest.mark.parametrize(("color", "slope"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_colored_noise_falls_by_its_decibels_an_octave(color, slope):
    y = backgrounds.colored_noise(10 * RATE, RATE, seed=3, color=color)
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    power = np.abs(np.fft.rfft(y)) ** 2
    octaves = [np.mean(power[(hz >= 100 * 2**k) & (hz < 200 * 2**k)]) for k in range(6)]
    assert np.polyfit(range(6), 10 * np.log10(octaves), 1)[0] == pytest.approx(slope, abs=0.3)


@pytest.mark.parametrize("seed", range(6))
def test_speech_has_syllables_and_formants(seed):
    y = backgrounds.speech_noise(10 * RATE, RATE, seed=seed)
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    power = np.abs(np.fft.rfft(y)) ** 2
    assert power[(hz > 200) & (hz < 5000)].sum() > 0.75 * power.sum()
    level = np.sqrt(np.square(y).reshape(-1, RATE // 50).mean(axis=1))  # every 20 ms
    rises = np.abs(np.fft.rfft(level - level.mean()))[: 10 * 25] ** 2  # up to 25 Hz
    assert rises[15:120].sum() > 0.4 * rises.sum()  # 1.5 to 12 Hz


def test_hum_stands_out_at_the_mains_frequency():
    values = {"seed": 1, "color": "white", "snr_db": 0.0, "silence_dbfs": -20.0}
    quiet = np.zeros(2 * RATE, np.float32)
    plain = effects.add_background(quiet, RATE, **values)
    humming = effects.add_background(quiet, RATE, **values, hum_hz=50.0, hum_db=10.0)
    assert gain_db(plain, humming, 49, 51) > 20
    assert gain_db(plain, humming, 1000, 8000) == pytest.approx(-10 * np.log10(11), abs=0.2)


# ---- rooms


@pytest.mark.parametrize("rt60", [0.3, 1.0])
def test_a_room_decays_in_its_time(rt60):
    room = effects.impulse_response(RATE, seed=7, rt60_seconds=rt60, damping_hz=5000.0)
    assert decay_seconds(room) == pytest.approx(rt60, rel=0.15)
    assert np.sum(np.square(room, dtype=float)) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("name", ["reverb", "sethi_reverb", "sethi_subtle_reverb"])
def test_reverb_leaves_a_tail_at_its_level(name):
    for seed in range(6):
        values = one_step(name, seed).steps[0].values
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
        strong, subtle = (one_step(f"sethi_{name}", seed).steps[0].values for name in ("reverb", "subtle_reverb"))
        assert subtle["direct_db"] > strong["direct_db"] + 6
        assert subtle["rt60_seconds"] < strong["rt60_seconds"] / 1.9


# ---- filters


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
        cut = drawn.steps[0].values["above_hz"]
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
        cut = drawn.steps[0].values["below_hz"]
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
        cut = one_step("sethi_hiss", seed).steps[0].values["below_hz"]
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
        values = one_step("band_limit", seed).steps[0].values
        after = effects.limit_band(white(), RATE, **values)
        above, below = values["above_hz"], values["below_hz"]
        assert above or below
        assert gain_db(white(), after, 900, 1100) == pytest.approx(0, abs=0.5)
        if above:
            assert gain_db(white(), after, 0, above / 2) < -10
        if below and 2 * below < 10500:
            assert gain_db(white(), after, 2 * below, 11000) < -10


# ---- overload


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_distortion_adds_overtones_and_keeps_the_peak(kind):
    y = tone(hz=441.0)
    after = effects.distort(y, RATE, kind=kind, drive_db=12.0)
    overtone = np.abs(np.fft.rfft(after))[3 * 441] / np.abs(np.fft.rfft(after))[441]
    assert overtone > 0.1
    peak = np.abs(y).max()
    assert np.abs(after).max() == pytest.approx(peak, rel=1e-5)
    assert np.mean(np.abs(after) > 0.998 * peak) > (0.5 if kind == "hard" else 0.1)


def test_distortion_keeps_a_single_stroke_in_silence():
    y = np.zeros(RATE, np.float32)
    y[100:300] = tone(200)
    for kind in ("hard", "soft"):
        after = effects.distort(y, RATE, kind=kind, drive_db=18.0)
        assert np.abs(after).max() == pytest.approx(np.abs(y).max(), rel=1e-3)
        assert not after[300:].any()


def test_result_is_scaled_down_as_a_whole():
    loud = 3 * tone()
    after = noise.apply(loud, noise.Noise(()), RATE)
    assert np.abs(after).max() == 1
    assert np.allclose(after * np.abs(loud).max(), loud, atol=1e-5)


# ---- what players, engineers and files do


def test_a_wavering_tone_keeps_its_pitch_and_level_on_average_and_stays_within_its_depth():
    y = tone(3 * RATE)
    for seed in range(4):
        values = {**one_step("waver", seed).steps[0].values, "depth_cents": 50.0, "depth_db": 6.0}
        after = effects.waver(y, RATE, **values)
        envelope = effects._envelope(after, RATE)[RATE // 10 : -RATE // 2]
        assert np.ptp(20 * np.log10(envelope)) < 12.5
        phase = np.unwrap(np.angle(scipy.signal.hilbert(after)))[RATE // 10 : -RATE // 2]
        cents = 1200 * np.log2(np.diff(phase)[::100] * RATE / (2 * np.pi) / 440)
        assert np.abs(cents).max() < 55
        assert np.ptp(cents) > 5
    still = effects.waver(y, RATE, **{**values, "depth_cents": 0.0, "depth_db": 0.0})
    np.testing.assert_allclose(still, y, atol=1e-3)


def test_breath_follows_the_sound_and_lies_as_far_under_it_as_asked():
    y = np.concatenate([tone(RATE), np.zeros(RATE, np.float32), tone(RATE)])
    breath = effects.breathe(y, RATE, seed=3, under_db=20.0, above_hz=1000.0) - y
    assert decibels(breath[: RATE // 2], y[: RATE // 2]) == pytest.approx(-20, abs=1.5)
    assert not breath[int(1.1 * RATE) : int(1.9 * RATE)].any()
    hz = np.fft.rfftfreq(len(breath), 1 / RATE)
    power = np.abs(np.fft.rfft(breath)) ** 2
    assert power[hz < 300].sum() < 0.02 * power.sum()


@pytest.mark.parametrize("ratio", [1.0, 2.0, 4.0])
def test_compression_leaves_one_decibel_of_as_many_as_its_ratio(ratio):
    y = np.concatenate([tone(RATE), 0.1 * tone(RATE)])  # 20 dB softer
    after = effects.compress(y, RATE, ratio=ratio)
    loud, soft = after[RATE // 4 : RATE // 2], after[RATE + RATE // 4 : RATE + RATE // 2]
    assert decibels(loud, soft) == pytest.approx(20 / ratio, abs=0.2)
    assert np.abs(after).max() == pytest.approx(np.abs(y).max(), rel=1e-4)


@pytest.mark.parametrize(("kind", "most"), [("MP3", 0.8), ("OGG", 0.95)])
def test_a_lossy_file_keeps_the_sound_in_its_place_and_loses_more_the_smaller_it_is(kind, most):
    y = (tone(2 * RATE) + white()) * np.linspace(1, 0, 2 * RATE, dtype=np.float32)
    loss = []
    for compression in (0.2, most):
        after = effects.encode(y, RATE, kind=kind, compression=compression)
        lag = np.argmax(scipy.signal.correlate(after, y)) - len(y) + 1
        assert abs(lag) < RATE // 20
        loss.append(decibels(np.roll(after, -lag) - y, y))
    assert loss[0] < loss[1] < -1
