"""A picture of learning curves, and whether they still rise."""

from pathlib import Path

import pytest

from instrec.tracking.reproductions import curves, recipes
from instrec.tracking.reproductions.results import Run
from tests.tracking.reproductions.all_recipes import FOLDER


def run(seed: int = 20, recipe: str = "segal2016", **history: list[float]) -> Run:
    return Run(recipe, "cpu", seed, "abc", "here", {}, history, {})


@pytest.mark.parametrize(
    ("f1", "count", "rising"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5], [], True),
        ([0.1, 0.5, 0.5, 0.5, 0.505], [], False),  # by less than a gain
        ([0.1, 0.6, 0.2, 0.3, 0.5], [], False),  # but not above what was reached before
        ([0.0] * 10, [0.5] * 8 + [0.6] * 2, True),
        ([0.0, 0.1, 0.2] + [0.3] * 7, [0.5] * 10, False),
        ([0.5], [], False),
        ([], [], False),
    ],
)
def test_a_gain_at_the_end_is_a_rise(f1: list[float], count: list[float], rising: bool) -> None:
    assert curves.still_rising([run(val_presence_f1=f1, val_count_accuracy=count)]) is rising


def test_the_mean_over_seeds_decides() -> None:
    rises, falls = run(val_presence_f1=[0.1, 0.2, 0.3, 0.4, 0.5]), run(21, val_presence_f1=[0.9, 0.8, 0.7, 0.6, 0.5])
    assert not curves.still_rising([rises, falls])


def test_the_picture_has_a_panel_per_recipe_that_was_run(tmp_path: Path) -> None:
    history = {"val_presence_f1": [0.1, 0.2], "val_count_accuracy": [0.3, 0.4]}
    shown = {name: [run(recipe=name, **history)] for name in ("segal2016", "sethi2018")}
    drawn = []
    for name in ("a", "b"):
        curves.draw(tmp_path / name / "systems.svg", shown, recipes.compared(FOLDER))
        drawn.append((tmp_path / name / "systems.svg").read_text())
    assert ">segal2016<" in drawn[0]
    assert ">sethi2018<" in drawn[0]
    assert "thesis" not in drawn[0]
    assert drawn[0] == drawn[1]


def test_without_runs_the_picture_is_empty(tmp_path: Path) -> None:
    curves.draw(tmp_path / "systems.svg", {}, recipes.compared(FOLDER))
    assert (tmp_path / "systems.svg").exists()
