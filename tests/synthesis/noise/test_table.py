"""What comes up, how often, and within which bounds."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from instrec.synthesis import noise
from instrec.synthesis.noise.table import EFFECTS, SETHI_EFFECTS
from tests.refusals import refused
from tests.synthesis.noise.sounds import BOUNDS, NONE, RATE


def test_probabilities_are_kept():
    drawn = [noise.draw(np.random.default_rng(seed), BOUNDS, RATE) for seed in range(1500)]
    names = [step["effect"] for one in drawn for step in one]
    share = {name: names.count(name) / len(drawn) for name in EFFECTS}
    # Clips for which nothing came up (4 in 100) get one effect more, so shares lie slightly over.
    for name in ("equalizer", "reverb", "band_limit", "distortion", "background"):
        wanted = getattr(BOUNDS, f"{name}_probability")
        assert wanted - 0.05 < share[name] < wanted + 0.07, name
    assert 0.25 < sum(share[name] for name in SETHI_EFFECTS) < 0.37
    assert all(share[name] > 0.3 / 9 / 2 for name in SETHI_EFFECTS)


def test_noisy_means_noisy():
    rare = dataclasses.replace(NONE, distortion_probability=1e-9)
    assert [step["effect"] for step in noise.draw(np.random.default_rng(0), rare, RATE)] == ["distortion"]
    assert noise.draw(np.random.default_rng(0), NONE, RATE) == []


def test_what_is_off_never_comes_up():
    only_sethi = dataclasses.replace(NONE, sethi_probability=1.0)
    for seed in range(60):
        (step,) = noise.draw(np.random.default_rng(seed), only_sethi, RATE)
        assert step["effect"] in SETHI_EFFECTS


def test_each_of_the_nine_comes_up_as_often_as_any_other():
    only_sethi = dataclasses.replace(NONE, sethi_probability=1.0)
    drawn = [noise.draw(np.random.default_rng(seed), only_sethi, RATE) for seed in range(4500)]
    assert {len(steps) for steps in drawn} == {1}
    counted = Counter(step["effect"] for (step,) in drawn)
    assert counted.keys() == SETHI_EFFECTS.keys()
    assert len(counted) == 9
    # Eight degrees of freedom: a fair draw passes 26.1 once in a thousand times.
    assert sum((count - 500) ** 2 / 500 for count in counted.values()) < 26.1


def test_bounds_the_wrong_way_round_are_the_users_to_mend():
    with refused("parameters-conflict", "params.yaml: noise.min_snr_db", 50, "max_snr_db, 40"):
        noise.draw(np.random.default_rng(0), dataclasses.replace(BOUNDS, min_snr_db=50.0), RATE)


def test_an_unknown_effect_is_named():
    with pytest.raises(ValueError, match="wobble"):
        noise.checked([{"effect": "wobble"}])


@pytest.mark.parametrize(("probability", "backgrounds_of_200"), [(0.1, 200), (0.0, 0)])
def test_alone_there_is_a_background_and_often_speech(probability, backgrounds_of_200):
    bounds = dataclasses.replace(BOUNDS, background_probability=probability)
    drawn = [noise.draw(np.random.default_rng(seed), bounds, RATE, alone=True) for seed in range(200)]
    colors = [step["color"] for each in drawn for step in each if step["effect"] == "background"]
    assert len(colors) == backgrounds_of_200
    assert colors.count("speech") == pytest.approx(0.4 * backgrounds_of_200, abs=24)
