"""The gate of pull requests: it compares parameters and metrics of the working tree with another commit.

It uses git alone, without a DVC remote and without data, so the verdict is the same on a laptop and in CI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instrec.errors import UserError, masked
from instrec.tracking.gate import commits, comparison, pipeline
from instrec.tracking.gate.comparison import Change
from instrec.tracking.gate.rules import Rule
from instrec.tracking.summary import METRICS
from instrec.util.nested import flat

PARAMS = Path("params.yaml")


@dataclass(frozen=True)
class Judgment:
    """The comparison and its verdict.

    Parameters
    ----------
    base, head : names of the two sides, for people.
    params : name, old and new value of every param that changed; None where a side has none.
    changes : every metric of either side.
    rules : the rules of `gate.yaml`.
    reasons : why the gate fails, one line per reason; none if it passes.
    notices : further remarks for a reviewer.
    """

    base: str
    head: str
    params: Sequence[tuple[str, Any, Any]]
    changes: Mapping[str, Change]
    rules: Sequence[Rule]
    reasons: Sequence[str]
    notices: Sequence[str]


def judge(root: Path, base: str, rules: Sequence[Rule], rules_file: Path) -> Judgment:
    """Compare the working tree in `root` with commit `base`.

    Raises
    ------
    UserError
        If git does not know `base`, when `base` has no metrics, or when a file of params or metrics is damaged.
    """
    commit = commits.resolve(root, base)
    measured = commits.mapping(root, METRICS, commit)
    if measured is None:
        raise UserError(
            "metrics-missing",
            base,
            f"has no {METRICS} to compare with; name a commit that has, or run in the top folder",
        )
    old, new = comparison.figures(measured), comparison.figures(commits.mapping(root, METRICS) or {})
    changes = comparison.compare(old, new, {rule.metric: rule.direction for rule in rules})
    reasons = (
        *pipeline.stale(root),
        *commits.changed_test_data(root, commit),
        *comparison.changed_sizes(old, new),
        *comparison.missing(changes, [rule.metric for rule in rules]),
        *(reason for rule in rules if rule.metric in changes for reason in rule.broken_by(changes[rule.metric])),
    )
    notices = [f"Judged by the rules of `{rules_file}`, which are not those of `{base}`."]
    return Judgment(
        base=f"`{base}` ({commit[:7]})",
        head=commits.described(root),
        params=list(differences(commits.mapping(root, PARAMS, commit) or {}, commits.mapping(root, PARAMS) or {})),
        changes=changes,
        rules=rules,
        reasons=reasons,
        notices=notices if commits.differs(root, rules_file, commit) else [],
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Return name, old and new value of every leaf that is not the same in two trees; None where a side has none.

    Passwords in addresses are hidden: the values are to be shown.
    """
    before, after = dict(flat(old)), dict(flat(new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            old_value, new_value = (
                masked(value) if isinstance(value, str) else value for value in (before.get(name), after.get(name))
            )
            yield name, old_value, new_value
