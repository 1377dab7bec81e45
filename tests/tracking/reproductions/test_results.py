"""Results grow by a run at a time; figures over several seeds have a mean and an error."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from instrec.tracking.reproductions import results
from instrec.tracking.reproductions.results import Run
from tests.refusals import refused

NAME = "unseen_clean.solo.top1"


def run(top1: float = 0.5, *, recipe: str = "one", seed: int = 1, interval: list[float] | None = None) -> Run:
    solo: dict[str, Any] = {"top1": top1, "intervals": {"top1": interval} if interval else {}}
    history = {"val_presence_f1": [0.1, 0.3]}
    return Run(recipe, "cpu", seed, "abc", "2 CPU cores", {"unseen_clean": {"solo": solo}}, history, {"weights": 3.0})


def test_what_was_added_is_read_again_and_a_second_time_replaced(tmp_path: Path) -> None:
    path = tmp_path / "systems.json"
    assert results.read(path) == []
    for each in (run(0.1), run(0.2, seed=2), run(0.3, recipe="other"), run(0.4)):
        results.add(path, each)
    assert results.read(path) == [run(0.4), run(0.2, seed=2), run(0.3, recipe="other")]


def stored(**other: Any) -> str:
    return json.dumps([{**asdict(run()), **other}])


@pytest.mark.parametrize(
    "text",
    [
        *("{", '[{"recipe": "x"}]', "[3]", "3", stored(seed="a"), stored(metrics=3), stored(history={"loss": 1.0})),
        *(stored(speed={"weights": []}), stored(recipe=["x"])),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "systems.json").write_text(text)
    with refused("document-unreadable", tmp_path / "systems.json", "git checkout"):
        results.read(tmp_path / "systems.json")


def test_one_run_has_the_margin_of_its_interval() -> None:
    figure = results.figure([run(0.5, interval=[0.4, 0.6])], NAME)
    assert figure
    assert (figure.mean, figure.runs) == (0.5, 1)
    assert figure.margin == pytest.approx(0.1)


@pytest.mark.parametrize("interval", [0.4, [0.4], [0.4, None], [[0.4], 0.6], {"low": 0.4}])
def test_what_is_no_interval_gives_no_margin(interval: Any) -> None:
    figure = results.figure([run(0.5, interval=interval)], NAME)
    assert figure
    assert math.isnan(figure.margin)


def test_one_run_of_several_that_has_it_gives_its_own_interval() -> None:
    other = Run("one", "cpu", 2, "abc", "2 CPU cores", {}, {}, {})
    figure = results.figure([other, run(0.5, interval=[0.4, 0.6])], NAME)
    assert figure
    assert (figure.margin, figure.runs) == (pytest.approx(0.1), 1)


def test_several_runs_have_the_margin_of_their_spread() -> None:
    figure = results.figure([run(0.4), run(0.5, seed=2), run(0.6, seed=3)], NAME)
    assert figure
    assert figure.mean == pytest.approx(0.5)
    # Student's t with two degrees of freedom has 95 % within 4.303.
    assert figure.margin == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-3)
    assert figure.spread == pytest.approx(0.1)
    assert str(figure) == ".500 ± 0.100 (3 seeds)"


def test_an_epoch_of_the_history_is_a_figure_without_an_error() -> None:
    figure = results.figure([run()], "history.val_presence_f1.2")
    assert figure
    assert figure.mean == 0.3
    assert math.isnan(figure.margin)
    assert results.figure([run()], "history.val_presence_f1.3") is None


@pytest.mark.parametrize("name", ["unseen_clean.solo.nothing", "nowhere.solo.top1", "unseen_clean.solo"])
def test_what_is_not_there_is_no_figure(name: str) -> None:
    assert results.figure([run()], name) is None
    assert results.figure([], NAME) is None
