"""The rules of gate.yaml: what breaks them, and mistakes in them."""

import json

import pytest

from instrec.tracking.gate import comparison, rules
from instrec.tracking.gate.comparison import Figure
from tests.refusals import refused

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
        ("text", "code", "where", "named"),
        [
            ("", "not-a-list", "", "gate.yaml"),
            ("[]", "not-a-list", "", "gate.yaml"),
            ("rules: 1", "not-a-list", "", "gate.yaml"),
            ("- [", "document-unreadable", "", "line 2"),
            ("- top1", "not-a-mapping", ": rule 1", "'top1'"),
            ("- {metric: 3, floor: 1}", "not-a-mapping", ": rule 1", "3"),
            ("- {floor: 0.5}", "not-a-mapping", ": rule 1", "0.5"),
            ("- {metric: a, flor: 0.5}", "key-unknown", ": rule 1, a: flor", "floor?"),
            ("- {metric: a, quux: 0.5}", "key-unknown", ": rule 1, a: quux", "metric, direction"),
            ("- {metric: a}", "rule-empty", ": rule 1, a", "largest_drop"),
            ("- {metric: a, floor: high}", "value-invalid", ": rule 1, a: floor", "'high'"),
            ("- {metric: a, floor: .nan}", "value-invalid", ": rule 1, a: floor", "nan"),
            ("- {metric: a, floor: yes}", "value-invalid", ": rule 1, a: floor", "True"),
            ("- {metric: a, floor: }", "value-invalid", ": rule 1, a: floor", "None"),
            ("- {metric: a, largest_drop: -0.1}", "value-invalid", ": rule 1, a: largest_drop", "-0.1"),
            ("- {metric: a, floor: 1, direction: up}", "value-invalid", ": rule 1, a: direction", "'lower'"),
            ("- {metric: a, floor: 1}\n- {metric: a, floor: 2}", "value-repeated", "", "a has 2 rules"),
        ],
    )
    def test_a_mistake_is_told_of(self, tmp_path, text, code, where, named):
        (tmp_path / "gate.yaml").write_text(text)
        with refused(code, f"{tmp_path / 'gate.yaml'}{where}", named):
            rules.load(tmp_path / "gate.yaml")

    def test_without_rules_it_says_where_some_are(self, tmp_path):
        with refused("file-missing", tmp_path / "none.yaml", "gate.yaml", "--rules"):
            rules.load(tmp_path / "none.yaml")
