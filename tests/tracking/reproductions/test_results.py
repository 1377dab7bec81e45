"""Results grow by a run at a time, and their metrics are found by name."""

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


def test_what_was_stored_without_a_date_is_read(tmp_path: Path) -> None:
    whole = asdict(run())
    del whole["date"]
    (tmp_path / "systems.json").write_text(json.dumps([whole]))
    assert [each.date for each in results.read(tmp_path / "systems.json")] == [""]


def test_a_metric_has_its_interval() -> None:
    assert results.value(run(0.5), NAME) == 0.5
    assert results.interval(run(0.5, interval=[0.4, 0.6]), NAME) == (0.4, 0.6)


@pytest.mark.parametrize("interval", [0.4, [0.4], [0.4, None], [[0.4], 0.6], {"low": 0.4}, [0.4, math.inf]])
def test_what_is_no_interval_is_none(interval: Any) -> None:
    assert results.interval(run(0.5, interval=interval), NAME) is None


def test_an_epoch_of_the_history_is_a_metric_without_an_interval() -> None:
    assert results.value(run(), "history.val_presence_f1.2") == 0.3
    assert results.interval(run(), "history.val_presence_f1.2") is None
    assert results.value(run(), "history.val_presence_f1.3") is None


@pytest.mark.parametrize("name", ["unseen_clean.solo.nothing", "nowhere.solo.top1", "unseen_clean.solo"])
def test_what_is_not_there_is_no_metric(name: str) -> None:
    assert results.value(run(), name) is None


def test_what_is_not_finite_is_no_metric() -> None:
    assert results.value(run(math.nan), NAME) is None
