"""The rules of the gate, from `gate.yaml`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instrec import params_schema
from instrec.errors import UserError
from instrec.params_schema import Finite, NonNegative
from instrec.tracking.gate.comparison import TOLERANCE, Change, Direction, direction_of
from instrec.util import documents


@dataclass(frozen=True)
class Rule(params_schema.Section):
    """The rule of one metric; a limit of NaN demands nothing, as no value is beyond it.

    Attributes
    ----------
    metric : its name, as in `unseen_clean.solo.top1`.
    direction : whether the higher or the lower value is the better one; in a file, the metric's name may say so.
    largest_drop : how much worse than the base it may be.
    floor : the worst value allowed, whatever the base's; a ceiling where lower is better.
    """

    metric: str
    direction: Direction
    largest_drop: NonNegative = math.nan
    floor: Finite = math.nan

    def broken_by(self, change: Change) -> Iterator[str]:
        """Return how a metric breaks this rule; empty if it does not, or if a side lacks the metric.

        A drop within the noise counts, too, because `Change.interval` is too wide.
        """
        if change.old is None or change.new is None:
            return
        if change.loss > self.largest_drop + TOLERANCE:
            chance = ", which is within noise" if change.mark == "within noise" else ""
            values = f"{change.old.value:.4f} to {change.new.value:.4f}"
            yield f"`{self.metric}` got worse by {change.loss:.4f}{chance} ({values}); {self.largest_drop:g} is allowed"
        sign = 1 if self.direction == "higher" else -1
        if sign * change.new.value < sign * self.floor - TOLERANCE:
            side = "under its floor" if sign > 0 else "above its ceiling"
            yield f"`{self.metric}` is {change.new.value:.4f}, {side} of {self.floor:g}"


def load(path: Path) -> list[Rule]:
    """Read and check the rules.

    Raises
    ------
    UserError
        If the file is missing, not YAML or not a list, or naming the rule and the key that is wrong.
    """
    if not path.exists():
        raise UserError(
            "file-missing", path, "no rules there; gate.yaml in the repository shows some, or use --rules FILE"
        )
    tree = documents.load_yaml(path)
    if not isinstance(tree, list) or not tree:
        raise UserError(
            "not-a-list", path, "expected a list of rules, each with its metric, as gate.yaml in the repository has"
        )
    rules = [_rule(each, f"{path}: rule {number}") for number, each in enumerate(tree, 1)]
    names = [rule.metric for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise UserError("value-repeated", path, f"{name} has {names.count(name)} rules; one is allowed")
    return rules


def _rule(tree: Any, where: str) -> Rule:
    if not isinstance(tree, dict) or not isinstance(tree.get("metric"), str):
        raise UserError("not-a-mapping", where, f"expected a mapping with the name of a metric, found {tree!r}")
    where = f"{where}, {tree['metric']}"
    rule = params_schema.build(Rule, {"direction": direction_of(tree["metric"]), **tree}, where, joint=": ")
    if math.isnan(rule.largest_drop) and math.isnan(rule.floor):
        raise UserError("rule-empty", where, "demands nothing; give it largest_drop, floor or both")
    return rule
