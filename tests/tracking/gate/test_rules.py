"""The rules of gate.yaml: what breaks them, and mistakes in them."""

import json

import pytest

from instrec.errors import UserError
from instrec.tracking.gate import comparison, rules
from instrec.tracking.gate.comparison import Figure

METRIC = "unseen_clean.solo.top1"


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "new", "reason"),
        [
            ({"largest_drop": 0.02}, 0.48, None),
            ({"largest_drop": 0.02}, 0.47, "got worse by 0.0300, which is within noise (0.5000 to 0.4700); 0.02 is"),
            ({"largest_drop": 0.02}, 0.30, "got worse by 0.2000 (0.5000 to 0.3000); 0.02 is allowed"),
            ({"largest_drop": 0}, 0.5, None),
            ({"largest_drop": 0}, 0.6, None),
            ({"floor": 0.45}, 0.45, None),
            ({"floor": 0.45}, 0.44, "is 0.4400, under its floor of 0.45"),
            ({"direction": "lower", "largest_drop": 0.02}, 0.3, None),
            ({"direction": "lower", "largest_drop": 0.02}, 0.53, "got worse by 0.0300, which is within noise"),
            ({"direction": "lower", "floor": 0.55}, 0.56, "is 0.5600, above its ceiling of 0.55"),
        ],
    )
    def test_what_breaks_a_rule(self, tmp_path, rule, new, reason):
        (tmp_path / "gate.yaml").write_text(json.dumps([{"metric": METRIC, **rule}]))
        (loaded,) = rules.load(tmp_path / "gate.yaml")
        old, new = ({METRIC: Figure(value, (value - 0.05, value + 0.05))} for value in (0.5, new))
        reasons = list(loaded.broken_by(comparison.compare(old, new, {METRIC: loaded.direction})[METRIC]))
        assert len(reasons) == (reason is not None)
        assert reason is None or reasons[0].startswith(f"`{METRIC}` {reason}")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected a list of rules"),
            ("[]", "expected a list of rules"),
            ("rules: 1", "expected a list of rules"),
            ("- [", "cannot be read"),
            ("- top1", "rule 1: expected a mapping with the name of a metric, found 'top1'"),
            ("- {metric: 3, floor: 1}", "rule 1: expected a mapping with the name of a metric"),
            ("- {floor: 0.5}", "rule 1: expected a mapping with the name of a metric"),
            ("- {metric: a, flor: 0.5}", "rule 1, a: unknown key 'flor'; did you mean floor?"),
            ("- {metric: a, quux: 0.5}", "rule 1, a: unknown key 'quux'; allowed: metric, direction"),
            ("- {metric: a}", "rule 1, a: demands nothing; give it largest_drop, floor or both"),
            ("- {metric: a, floor: high}", "rule 1, a: floor: expected a number, found 'high'"),
            ("- {metric: a, floor: .nan}", "rule 1, a: floor: expected a number, found nan"),
            ("- {metric: a, floor: yes}", "rule 1, a: floor: expected a number, found True"),
            ("- {metric: a, floor: }", "rule 1, a: floor: expected a number, found None"),
            ("- {metric: a, largest_drop: -0.1}", "rule 1, a: largest_drop: -0.1 must not be negative"),
            ("- {metric: a, floor: 1, direction: up}", "a: direction: expected one of higher, lower, found 'up'"),
            ("- {metric: a, floor: 1}\n- {metric: a, floor: 2}", "a has 2 rules; one is allowed"),
        ],
    )
    def test_a_mistake_is_told_of(self, tmp_path, text, message):
        (tmp_path / "gate.yaml").write_text(text)
        with pytest.raises(UserError, match=r"gate\.yaml: ") as error:
            rules.load(tmp_path / "gate.yaml")
        assert message in str(error.value)
