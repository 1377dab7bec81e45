"""The page shows what was run, says what was not, and keeps published figures apart from ours."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from instrec.tracking.reproductions import baselines, recipes
from instrec.tracking.reproductions import page as systems_page
from instrec.tracking.reproductions.results import Run
from tests.refusals import refused
from tests.tracking.reproductions.all_recipes import FOLDER, PARAMS, ROOT


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "DRAWS", dict.fromkeys(baselines.DRAWS, 2))


def page(folder: Path, *runs: Run) -> str:
    systems_page.write(folder / "systems.md", recipes.compared(FOLDER), runs, params_file=PARAMS, data=ROOT / "data")
    return (folder / "systems.md").read_text()


def row(text: str, name: str) -> list[str]:
    return [cell.strip() for line in text.splitlines() if line.startswith(f"| `{name}`") for cell in line.split("|")]


def test_every_recipe_has_a_row_and_what_was_not_run_says_so(tmp_path: Path) -> None:
    text = page(tmp_path)
    for recipe in recipes.compared(FOLDER):
        assert "not run" in row(text, recipe.name)
    assert not row(text, "full")  # ours
    assert "test accuracy .77" in text


def test_a_run_shows_its_figures_and_its_cost(tmp_path: Path) -> None:
    metrics = {
        "seen_clean": {"solo": {"top1": 0.81, "intervals": {"top1": [0.78, 0.84]}}},
        "unseen_clean": {
            "solo": {"top1": 0.61, "macro_f1": 0.6, "intervals": {"top1": [0.58, 0.64], "macro_f1": [0.5, 0.7]}}
        },
    }
    speed = {"weights": 12345, "epochs": 10, "seconds": 61.4, "clips_per_second": 390.0}
    runs = [Run(name, "cpu", 20, "abc", "2 CPU cores", metrics, {}, speed) for name in ("segal2016", "segal2016_leaky")]
    text = page(tmp_path, *runs)
    expected = {".810 ± .030", ".610 ± .030", ".600 ± .100", "yes", "1", "12,345", "cpu, 10 epochs", "61", "390"}
    assert expected | {"2 CPU cores"} <= set(row(text, "segal2016"))
    assert "| Segal 2016 | ReLU beats leaky ReLU | .610 ± .030 | .610 ± .030 | not decided |" in text
    assert "not run" in row(text, "thesis_irv2")


def test_a_cost_that_is_not_all_there_is_left_out(tmp_path: Path) -> None:
    one = Run("segal2016", "cpu", 20, "abc", "1 GPU", {"unseen_clean": {"solo": {"top1": 0.5}}}, {}, {"epochs": 3})
    assert row(page(tmp_path, one), "segal2016")[-7:] == ["cpu", "no", "-", "-", "-", "1 GPU", ""]


@pytest.mark.parametrize("task", ["solos", ["solo"], 3])
def test_a_task_that_is_none_is_named(tmp_path: Path, task: Any) -> None:
    (recipe, *_) = recipes.compared(FOLDER)
    changed = replace(recipe, params={**recipe.params, "task": task})
    with refused("value-unknown", f"recipe {recipe.name}: task", "solo", task):
        systems_page.write(tmp_path / "systems.md", [changed], [])


def test_of_two_budgets_the_larger_is_shown(tmp_path: Path) -> None:
    runs = [
        Run("segal2016", budget, 20, "abc", "1 GPU", {"unseen_clean": {"solo": {"top1": top1}}}, {}, {})
        for budget, top1 in (("cpu", 0.2), ("full", 0.8))
    ]
    assert {".800*", "full"} <= set(row(page(tmp_path, *runs), "segal2016"))


def test_no_conclusion_rests_on_another_experiment(tmp_path: Path) -> None:
    def runs(budget: str) -> list[Run]:
        names = ("thesis_irv2", "thesis_irv2_nesterov")
        solo = {"top1": 0.5, "loss": 1.25}
        metrics = {each: {"solo": solo} for each in ("composed_clean", "unseen_clean")}
        return [Run(name, budget, 20, "abc", "1 GPU", metrics, {}, {}) for name in names]

    conclusion = "one dense layer: plain momentum beats Nesterov's |"
    text = page(tmp_path, *runs("cpu"))
    assert f"{conclusion} - | - | not run |" in text
    assert "another experiment" in row(text, "thesis_irv2")[2]
    assert "-, 1.250" in row(text, "thesis_irv2")
    text = page(tmp_path, *runs("cpu"), *runs("full"))
    assert f"{conclusion} .500 | .500 |" in text
    assert "another experiment" not in row(text, "thesis_irv2")[2]


def test_what_differs_is_said_once(tmp_path: Path) -> None:
    said = [line.split("): ")[1] for line in page(tmp_path).splitlines() if line.startswith("What differs")]
    assert len(said) == len(set(said))


def test_chance_and_majority_stand_in_every_table(tmp_path: Path) -> None:
    text = page(tmp_path)
    tables = text.count("| as published |")
    for name in ("chance", "majority"):
        rows = [line.split(" | ") for line in text.splitlines() if line.startswith(f"| {name} |")]
        assert len(rows) == tables
        assert all("." in row[3] for row in rows)


@pytest.mark.parametrize(
    ("top1", "half", "above", "cell"),
    [(0.6, 0.05, "yes", ".600 ± .050"), (0.12, 0.05, "no", ".120 ± .050*"), (0.6, None, "no", ".600*")],
)
def test_what_is_not_above_chance_is_marked(
    tmp_path: Path, top1: float, half: float | None, above: str, cell: str
) -> None:
    solo = {"top1": top1, "intervals": {"top1": [top1 - half, top1 + half]} if half else {}}
    one = Run("segal2016", "cpu", 20, "abc", "1 GPU", {"unseen_clean": {"solo": solo}}, {}, {}, "2026-01-02")
    cells = row(page(tmp_path, one), "segal2016")
    assert {cell, above, "abc 2026-01-02"} <= set(cells)


def test_a_curve_that_rises_to_its_end_is_named(tmp_path: Path) -> None:
    histories = {"segal2016": [0.1, 0.2, 0.3, 0.4, 0.5], "segal2016_leaky": [0.1, 0.5, 0.5, 0.5, 0.5]}
    runs = [
        Run(name, "cpu", 20, "abc", "1 GPU", {}, {"val_presence_f1": values}, {}) for name, values in histories.items()
    ]
    text = page(tmp_path, *runs)
    text = text[text.index("## Runs") :]
    heads = next(line for line in text.splitlines() if line.startswith("| recipe |"))
    place = [cell.strip() for cell in heads.split("|")].index("still rising")
    assert [row(text, name)[place] for name in histories] == ["yes", "no"]


def test_our_network_stands_in_the_table_of_every_publication(tmp_path: Path) -> None:
    blocks = page(tmp_path).split("\n## ")[1:]
    ours = Counter[str]()
    for block in (block for block in blocks if "| as published |" in block):
        publication = re.sub(r", \d classes$", "", block.splitlines()[0])  # other classes have a table of their own
        ours[publication] += sum(line.startswith("| `instrec_") for line in block.splitlines())
    assert set(ours.values()) == {1}
    assert len(ours) == 5


def test_tables_have_as_many_cells_in_every_row(tmp_path: Path) -> None:
    block: list[int] = []
    for line in [*page(tmp_path).splitlines(), ""]:
        if line.startswith("|"):
            block.append(line.count("|"))
        else:
            assert len(set(block)) <= 1
            block = []
