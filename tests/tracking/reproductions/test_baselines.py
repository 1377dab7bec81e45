"""What is reached without a model is what theory says of it."""

from __future__ import annotations

import numpy as np
import pytest

from instrec.params import Params
from instrec.tracking.reproductions import baselines, recipes
from tests.tracking.reproductions.all_recipes import FOLDER, PARAMS, ROOT

NAMES = ("segal2016", "gomez2018", "sethi2018")
SLACK = {"rel": 0.05, "abs": 0.001}


@pytest.fixture(scope="module")
def of_recipe() -> dict[str, dict[str, dict[str, float]]]:
    """What each baseline reaches on the tests of some recipes, with few draws."""
    few = {"solo": 200, "excerpts": 20, "mixtures": 20}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "DRAWS", few)
        baselines.expected.cache_clear()
        found = {
            name: {each: baselines.expected(settings(name), ROOT / "data", each) for each in baselines.BASELINES}
            for name in NAMES
        }
        baselines.expected.cache_clear()
    return found


def settings(name: str) -> Params:
    return recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(budget="cpu"), name)[1]


@pytest.mark.parametrize(("name", "classes"), [("segal2016", 12), ("gomez2018", 11)])
def test_of_n_classes_one_in_n_is_right(of_recipe: dict, name: str, classes: int) -> None:
    chance, majority = of_recipe[name].values()
    for test_set in ("seen_clean", "unseen_clean"):
        assert chance[f"{test_set}.solo.top1"] == pytest.approx(1 / classes, **SLACK)
        assert majority[f"{test_set}.solo.top1"] == pytest.approx(1 / classes, **SLACK)
        # Precision of one class is 1 in n, and its recall is 1; F1 of the others is 0.
        f1 = 2 / (1 + classes) / classes
        assert majority[f"{test_set}.solo.macro_f1"] == pytest.approx(f1, **SLACK)


def test_of_random_counts_and_programs_as_many_are_right_as_theory_says(of_recipe: dict) -> None:
    """Clips have 0, 1, 2 or 3 of 128 programs in equal parts: 1.5 on average."""
    chance, majority = of_recipe["sethi2018"].values()
    for noise in ("clean", "noisy"):
        count, instruments = (f"composed_{noise}.mixtures.{name}" for name in ("count_macro_f1", "by_count_micro_f1"))
        assert chance[count] == pytest.approx(1 / 4, abs=0.01)
        assert chance[instruments] == pytest.approx(1.5 / 128, abs=0.003)
        assert majority[count] == pytest.approx(2 / 5 / 4, abs=0.001)
        # Always three, of which each is right in 1.5 of 128.
        assert majority[instruments] == pytest.approx(2 * 3 * 1.5 / 128 / (3 + 1.5), abs=0.006)


def test_a_random_ranking_detects_nearly_all_classes_of_excerpts(of_recipe: dict) -> None:
    """The threshold with the highest F1 is low then: precision is the share of labels, and recall nearly 1."""
    chance, _ = of_recipe["gomez2018"].values()
    share = 2 / 11  # of one to three labels
    assert chance["unseen_excerpts.excerpts.s1_global.micro_f1"] == pytest.approx(2 * share / (1 + share), abs=0.04)


def test_the_majority_is_what_is_most_frequent() -> None:
    learned = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 0, 1]])
    presence, count = baselines.majority(np.random.default_rng(0), learned[:2], learned)
    assert presence == pytest.approx(np.array([[1, 0.5, 0.25]] * 2))
    assert count.argmax(axis=1).tolist() == [2, 2]
