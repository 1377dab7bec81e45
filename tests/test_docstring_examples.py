"""The examples in the docstrings of public functions do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

MODULES = [
    "instrec.audio.windowing",
    "instrec.evaluation.metrics",
    "instrec.taxonomy",
    "instrec.util.seeding",
    "instrec.util.text",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert failed == 0
