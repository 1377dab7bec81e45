"""What lies under a sound, overload, and what players, engineers and files do: each as far as one can measure it."""

import numpy as np
import pytest
import scipy.signal

from instrec.synthesis import noise
from instrec.synthesis.noise import effects
from instrec.synthesis.noise.table import EFFECTS
from tests.synthesis.noise.sounds import BOUNDS, RATE, decibels, gain_db, one_step, tone, values_of, white


@pytest.mark.parametrize("name", ["background", "sethi_hiss", "sethi_white_noise"])
def test_snr_is_the_one_asked_for(name):
    y = tone()
    for seed in range(12):
        values = values_of(name, seed)
        noisy = EFFECTS[name].apply(y, RATE, **values)
        assert BOUNDS.min_snr_db <= values["snr_db"] <= BOUNDS.max_snr_db
        assert decibels(y, noisy - y) == pytest.approx(values["snr_db"], abs=0.1)
        scaled = noise.apply(y, one_step(name, seed), RATE)  # as a whole, so the ratio stays
        assert np.allclose(scaled, noisy / max(1, np.abs(noisy).max()), atol=1e-6)


def test_silence_gets_noise_at_the_drawn_level():
    for seed in range(8):
        drawn = one_step("background", seed)
        noisy = noise.apply(np.zeros(RATE, np.float32), drawn, RATE)
        assert -60 <= drawn[0]["silence_dbfs"] <= -20
        assert decibels(noisy, np.ones(1)) == pytest.approx(drawn[0]["silence_dbfs"], abs=0.1)


def test_hum_stands_out_at_the_mains_frequency():
    values = {"seed": 1, "color": "white", "snr_db": 0.0, "silence_dbfs": -20.0}
    quiet = np.zeros(2 * RATE, np.float32)
    plain = effects.add_background(quiet, RATE, **values)
    humming = effects.add_background(quiet, RATE, **values, hum_hz=50.0, hum_db=10.0)
    assert gain_db(plain, humming, 49, 51) > 20
    assert gain_db(plain, humming, 1000, 8000) == pytest.approx(-10 * np.log10(11), abs=0.2)


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


def test_a_wavering_tone_keeps_its_pitch_and_level_on_average_and_stays_within_its_depth():
    y = tone(3 * RATE)
    for seed in range(4):
        values = {**values_of("waver", seed), "depth_cents": 50.0, "depth_db": 6.0}
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
