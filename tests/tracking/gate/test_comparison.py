"""Two commits' figures: the interval of a difference, and the mark that it gets."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.tracking.gate import comparison, rules
from instrec.tracking.gate.comparison import Change, Figure

values = st.floats(0, 1)
spreads = st.floats(0.001, 0.2)


@st.composite
def figures(draw: Callable) -> Figure:
    value = draw(values)
    return Figure(value, (value - draw(spreads), value + draw(spreads)))


class TestChange:
    @given(figures(), figures())
    def test_the_interval_holds_the_difference_and_is_wider_than_either_sides(self, old, new):
        low, high = Change(old, new).interval
        assert low <= new.value - old.value <= high
        for side in (old, new):
            assert high - low >= (side.interval[1] - side.interval[0]) - 1e-12

    @given(figures(), figures())
    def test_turned_round_the_interval_and_the_mark_turn_round(self, old, new):
        there, back = Change(old, new), Change(new, old)
        assert there.interval == pytest.approx([-limit for limit in reversed(back.interval)])
        opposite = {"better": "worse", "worse": "better"}
        assert back.mark == opposite.get(there.mark, there.mark)
        assert Change(old, new, -1).mark == back.mark

    def test_the_interval_of_normal_errors_covers_95_percent(self):
        rng = np.random.default_rng(1)
        old_error, new_error = 0.02, 0.03
        drawn = rng.normal([0.5, 0.5], [old_error, new_error], size=(4000, 2))
        covered = [
            low <= 0 <= high
            for old, new in drawn
            for low, high in [
                Change(
                    Figure(old, (old - 1.96 * old_error, old + 1.96 * old_error)),
                    Figure(new, (new - 1.96 * new_error, new + 1.96 * new_error)),
                ).interval
            ]
        ]
        assert np.mean(covered) == pytest.approx(0.95, abs=0.01)

    def test_a_bootstrap_interval_beside_its_value_still_holds_the_difference(self):
        low, high = Change(Figure(0.5, (0.51, 0.6)), Figure(0.4, (0.3, 0.39))).interval
        assert low < -0.1 == pytest.approx(high)

    @pytest.mark.parametrize(
        ("old", "new", "mark"),
        [
            (Figure(0.5, (0.45, 0.55)), Figure(0.52, (0.47, 0.57)), "within noise"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.6, (0.55, 0.65)), "better"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.4, (0.35, 0.45)), "worse"),
            (Figure(0.5, (0.45, 0.55)), Figure(0.5, (0.45, 0.55)), "same"),
            (Figure(0.5), Figure(0.4999, (0.45, 0.55)), "worse"),
            (Figure(0.5), None, "missing"),
            (None, Figure(0.5), "new"),
        ],
    )
    def test_marks(self, old, new, mark):
        assert Change(old, new).mark == mark


class TestFigures:
    def test_names_values_and_intervals(self):
        tree = {"a": {"solo": {"clips": 3, "top1": 0.5, "f1": 0.4, "intervals": {"top1": [0.4, 0.6]}}}}
        assert comparison.figures(tree) == {
            "a.solo.clips": Figure(3),
            "a.solo.top1": Figure(0.5, (0.4, 0.6)),
            "a.solo.f1": Figure(0.4),
        }

    @pytest.mark.parametrize("odd", [None, "0.5", True, float("nan"), [0.5]])
    def test_what_is_no_number_is_no_figure(self, odd):
        assert comparison.figures({"a": odd}) == {}
        assert comparison.figures({"a": 1.0, "intervals": {"a": [0, odd]}}) == {"a": Figure(1.0)}

    def test_thresholds_are_chosen_and_not_judged(self):
        assert comparison.figures({"a": {"threshold": 0.3, "thresholds": {"violin": 0.2}, "f1": 0.5}}) == {
            "a.f1": Figure(0.5)
        }

    def test_this_repositorys_rules_name_metrics_with_intervals(self, repository):
        tree = json.loads((repository / "metrics/test.json").read_text())
        found = comparison.figures(tree)
        judged = comparison.compare(found, found, {})
        assert all(judged[rule.metric].interval for rule in rules.load(repository / "gate.yaml"))

    @pytest.mark.parametrize(
        ("name", "direction"),
        [("a.top1", "higher"), ("a.val_loss", "lower"), ("a.calibration_error", "lower"), ("loss.top1", "higher")],
    )
    def test_the_better_direction_goes_by_the_name(self, name, direction):
        assert comparison.direction_of(name) == direction
        old, new = {name: Figure(0.2)}, {name: Figure(0.3)}
        assert comparison.compare(old, new, {})[name].mark == ("better" if direction == "higher" else "worse")
        assert comparison.compare(old, new, {name: "higher"})[name].mark == "better"
