"""The judgment as Markdown, for a terminal, a step summary or a pull request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import starmap
from typing import Any

from instrec.tracking.gate import Judgment
from instrec.tracking.gate.comparison import Change, Mark
from instrec.util.text import markdown

MARKS: tuple[Mark, ...] = ("missing", "worse", "better", "within noise", "new", "same")  # what asks for a look first
LONGEST_VALUE = 60
NOTE = (
    "<sub>Interval: 95 %, of the difference. Within noise: it holds 0. How the gate judges: docs/pull-requests.md</sub>"
)


def page(judgment: Judgment) -> str:
    """Lay out the verdict, its reasons, the parameters, the metrics under rules, and the others folded."""
    named = {rule.metric: judgment.changes[rule.metric] for rule in judgment.rules if rule.metric in judgment.changes}
    others = {name: change for name, change in judgment.changes.items() if name not in named}
    parts = [
        _verdict(judgment),
        f"{judgment.head} against {judgment.base}. Metrics: {_counts(judgment.changes)}.",
        "\n".join(f"- {reason}" for reason in judgment.reasons),
        "\n".join(f"> {notice}" for notice in judgment.notices),
        _params(judgment.params),
        "### Metrics under rules\n\n" + _metrics(named),
        _folded(others),
        NOTE,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def refusal(message: str) -> str:
    """Lay out why the gate could not judge."""
    return f"## ❌ Gate: cannot judge\n\n{message}\n"


def _verdict(judgment: Judgment) -> str:
    if not judgment.reasons:
        return f"## ✅ Gate passed: {_number(len(judgment.rules), 'rule')} kept"
    return f"## ❌ Gate failed: {_number(len(judgment.reasons), 'reason')}"


def _params(params: Sequence[tuple[str, Any, Any]]) -> str:
    if not params:
        return "No params changed."
    rows = [(f"`{name}`", _value(old), _value(new)) for name, old, new in params]
    return "### Params changed\n\n" + markdown(("param", "old", "new"), rows)


def _metrics(changes: Mapping[str, Change]) -> str:
    titles = ("metric", "old", "new", "difference", "95 % interval", "")
    return markdown(titles, starmap(_row, changes.items()), right=("old", "new", "difference"))


def _folded(changes: Mapping[str, Change]) -> str:
    shown = {name: change for name, change in changes.items() if change.mark != "same"}
    if not shown:
        return ""
    ordered = dict(sorted(shown.items(), key=lambda each: MARKS.index(each[1].mark)))
    summary = f"<details><summary>The other metrics: {_counts(changes)}</summary>"
    return f"{summary}\n\n{_metrics(ordered)}\n\n</details>"


def _row(name: str, change: Change) -> Iterator[str]:
    yield f"`{name}`"
    yield from ("-" if figure is None else f"{figure.value:.4f}" for figure in (change.old, change.new))
    if change.old is None or change.new is None:
        yield from ("-", "-")
    else:
        yield f"{change.difference:+.4f}"
        yield "none" if change.interval is None else f"{change.interval[0]:+.4f} to {change.interval[1]:+.4f}"
    yield change.mark if change.mark in ("within noise", "same") else f"**{change.mark}**"


def _counts(changes: Mapping[str, Change]) -> str:
    counts = Counter(change.mark for change in changes.values())
    return ", ".join(f"{counts[mark]} {mark}" for mark in MARKS if counts[mark]) or "none"


def _value(value: Any) -> str:
    """Write a parameter as short YAML that fits a cell of a table."""
    if value is None:
        return "-"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    text = text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`" if text else "`''`"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
