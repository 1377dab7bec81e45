"""A picture of what the recipes reach."""

import re
from pathlib import Path

import pytest

from instrec.tracking.reproductions import baselines, metrics_chart, recipes
from instrec.tracking.reproductions.results import Run
from instrec.tracking.reproductions.table import FIGURES
from tests.tracking.reproductions.all_recipes import FOLDER, PARAMS, ROOT

RUN_BEFORE = ("segal2016", "segal2016_leaky", "instrec_segal2016")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "DRAWS", dict.fromkeys(baselines.DRAWS, 2))


def drawn(path: Path, top1: float) -> str:
    solo = {"top1": top1, "intervals": {"top1": [top1 - 0.05, top1 + 0.05]}}
    shown = {
        name: [Run(name, "cpu", seed, "abc", "here", {"unseen_clean": {"solo": solo}}, {}, {}) for seed in (20, 21)]
        for name in RUN_BEFORE
    }
    metrics_chart.draw(path, shown, recipes.compared(FOLDER), params_file=PARAMS, data=ROOT / "data")
    return path.read_text()


def test_every_recipe_has_a_line_and_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    text = drawn(tmp_path / "a" / "metrics.svg", 0.5)
    known = recipes.compared(FOLDER)
    for each in known:
        assert f">{each.name}<" in text
    assert len(re.findall(">not run<", text)) == len(known) - len(RUN_BEFORE)
    assert len(re.findall("stroke-dasharray", text)) == len({each.block for each in known})  # chance
    assert text == drawn(tmp_path / "b" / "metrics.svg", 0.5)
    assert text != drawn(tmp_path / "c" / "metrics.svg", 0.6)


def test_every_task_has_a_metric_that_its_table_shows() -> None:
    assert metrics_chart.METRICS.keys() == FIGURES.keys()
    for task, (_, metric) in metrics_chart.METRICS.items():
        assert metric in {name for _, names in FIGURES[task] for name in names}
