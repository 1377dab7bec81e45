"""The page shows what was run, says what was not, and keeps published figures apart from ours."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instrec.evaluation import metrics
from instrec.tracking.reproductions import recipes, table
from instrec.tracking.reproductions.results import Run
from tests.refusals import refused

FOLDER = Path(__file__).parents[3] / "recipes"


def page(folder: Path, *runs: Run) -> str:
    table.write(folder / "systems.md", recipes.published(FOLDER), runs)
    return (folder / "systems.md").read_text()


def row(text: str, name: str) -> list[str]:
    return [cell.strip() for line in text.splitlines() if line.startswith(f"| `{name}`") for cell in line.split("|")]


def test_every_recipe_has_a_row_and_what_was_not_run_says_so(tmp_path: Path) -> None:
    text = page(tmp_path)
    for recipe in recipes.published(FOLDER):
        assert "not run" in row(text, recipe.name)
    assert not row(text, "full")  # ours
    assert "test accuracy .77" in text


def test_a_run_shows_its_figures_and_its_cost(tmp_path: Path) -> None:
    metrics = {
        "seen_clean": {"solo": {"top1": 0.81, "intervals": {"top1": [0.78, 0.84]}}},
        "unseen_clean": {"solo": {"top1": 0.61, "macro_f1": 0.6, "intervals": {"top1": [0.58, 0.64]}}},
    }
    speed = {"weights": 12345, "epochs": 10, "seconds": 61.4, "clips_per_second": 390.0}
    runs = [Run(name, "cpu", 20, "abc", "2 CPU cores", metrics, {}, speed) for name in ("segal2016", "segal2016_leaky")]
    text = page(tmp_path, *runs)
    assert {".810", ".610", ".600", "12,345", "cpu, 10 epochs", "61", "390", "2 CPU cores"} <= set(
        row(text, "segal2016")
    )
    assert "| Segal 2016 | ReLU beats leaky ReLU | .610 | .610 | too close to tell |" in text
    assert "not run" in row(text, "thesis_irv2")


def test_a_cost_that_is_not_all_there_is_left_out(tmp_path: Path) -> None:
    one = Run("segal2016", "cpu", 20, "abc", "1 GPU", {"unseen_clean": {"solo": {"top1": 0.5}}}, {}, {"epochs": 3})
    assert row(page(tmp_path, one), "segal2016")[-6:] == ["-", "cpu", "-", "-", "1 GPU", ""]


@pytest.mark.parametrize("task", ["solos", ["solo"], 3])
def test_a_task_that_is_none_is_named(tmp_path: Path, task: Any) -> None:
    (recipe, *_) = recipes.published(FOLDER)
    changed = replace(recipe, params={**recipe.params, "task": task})
    with refused("value-unknown", f"recipe {recipe.name}: task", "solo", task):
        table.write(tmp_path / "systems.md", [changed], [])


def test_of_two_budgets_the_larger_is_shown(tmp_path: Path) -> None:
    runs = [
        Run("segal2016", budget, 20, "abc", "1 GPU", {"unseen_clean": {"solo": {"top1": top1}}}, {}, {})
        for budget, top1 in (("cpu", 0.2), ("full", 0.8))
    ]
    assert {".800", "full"} <= set(row(page(tmp_path, *runs), "segal2016"))


def test_what_differs_is_said_once(tmp_path: Path) -> None:
    said = [line.split("): ")[1] for line in page(tmp_path).splitlines() if line.startswith("What differs")]
    assert len(said) == len(set(said))


def test_chance_and_the_majority_are_as_simulated(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips, programs = 40_000, 128
    ranks = rng.random((clips, programs), dtype=np.float32).argsort(axis=1)
    labels = (ranks < rng.integers(0, 4, clips)[:, None]).astype(np.uint8)
    anything = metrics.counted(labels, rng.random(labels.shape), rng.random((clips, 4)))
    presence, count = np.tile(np.eye(1, programs, 7), (clips, 1)), np.tile(np.eye(1, 4, 1), (clips, 1))
    text = page(tmp_path)
    for name, values in (("chance", anything), ("majority", metrics.counted(labels, presence, count))):
        (cells,) = [line.split(" | ") for line in text.splitlines() if line.startswith(f"| {name}")]
        given = [float(value) for value in cells[3].split(", ")]
        assert cells[3] == cells[4]
        expected = [float(values[metric]) for metric in ("count_macro_f1", "by_count_micro_f1")]
        assert given == pytest.approx(expected, abs=0.003)


def test_tables_have_as_many_cells_in_every_row(tmp_path: Path) -> None:
    block: list[int] = []
    for line in [*page(tmp_path).splitlines(), ""]:
        if line.startswith("|"):
            block.append(line.count("|"))
        else:
            assert len(set(block)) <= 1
            block = []
