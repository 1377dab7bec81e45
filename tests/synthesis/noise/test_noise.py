"""Every effect keeps the contract: any sound, any rate, the same bytes each time."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.synthesis import noise
from instrec.synthesis.noise.table import EFFECTS
from tests.synthesis.noise.sounds import BOUNDS, RATE, impulse, one_step, tone, white

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
        values = EFFECTS[name].draw(np.random.default_rng(seed), BOUNDS, rate)
        noisy = noise.apply(white(4000), [{"effect": name, **values}], rate)
        assert np.isfinite(noisy).all()
        assert noisy.any()


@pytest.mark.parametrize("rate", [2000, 8000, 16000])
def test_noise_drawn_for_a_higher_rate_stays_stable(rate):
    for name in EFFECTS:
        for seed in range(20):
            noisy = noise.apply(white(8000), one_step(name, seed), rate)
            assert np.isfinite(noisy).all(), name
            assert noisy.any(), name


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 3000))
def test_a_drawn_chain_survives_json_and_gives_the_same_bytes(seed, samples):
    drawn = noise.draw(np.random.default_rng(seed), BOUNDS, RATE)
    again = json.loads(json.dumps(drawn))
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
        before = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
        results.append([noise.apply(tone(), one, RATE).tobytes() for one in drawn])
        assert np.array_equal(before, np.random.get_state(legacy=False)["state"]["key"])  # noqa: NPY002
    assert results[0] == results[1]


def test_result_is_scaled_down_as_a_whole():
    loud = 3 * tone()
    after = noise.apply(loud, [], RATE)
    assert np.abs(after).max() == 1
    assert np.allclose(after * np.abs(loud).max(), loud, atol=1e-5)
