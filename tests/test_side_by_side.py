"""Comparisons of speed: contenders take turns, and ratios are of the same turn."""

import importlib
from itertools import count

from benchmarks import side_by_side


def test_ratios_are_of_the_same_turn_and_the_first_turn_warms_up():
    order = []

    def rates(name: str, values: list[float]):
        number = count()

        def rate() -> float:
            order.append(name)
            return values[next(number)]

        return rate

    contenders = {"ours": rates("ours", [1, 10, 20, 60]), "theirs": rates("theirs", [100, 5, 5, 20])}
    (row,) = side_by_side.rows("work", "clips/s", contenders, turns=3)
    assert row == side_by_side.Row("work", "theirs", 20, "clips/s", (2, 4, 3))
    assert order == ["ours", "theirs"] * 4
    assert side_by_side.line(row) == "| work | theirs | 20 clips/s | 2.00 | **3.00** | 4.00 |"


def test_every_comparison_has_a_title_and_rows():
    for name in side_by_side.COMPARISONS:
        module = importlib.import_module(f"benchmarks.{name}")
        assert 0 < len(module.__doc__.partition(":")[0]) < 40
        assert callable(module.compared)
