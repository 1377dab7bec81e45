"""Metrics of two sides: differences, their intervals, and which are more than noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

TOLERANCE = 1e-9  # for differences of rounded metrics
SIZE = "clips"  # how many clips a test set has: what was measured on, not how well
CHOSEN = ("threshold", "thresholds")  # chosen to measure with, and neither good nor bad in themselves
LOWER_IS_BETTER = ("loss", "error", "brier")

Direction = Literal["higher", "lower"]
Interval = tuple[float, float]
Mark = Literal["better", "worse", "within noise", "same", "new", "missing"]


@dataclass(frozen=True)
class Figure:
    """A metric's value, and its 95 % interval where it has one."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class Change:
    """One metric on both sides.

    Parameters
    ----------
    old, new : its values; None if a side lacks it.
    sign : 1 where higher is better, -1 where lower is.
    """

    old: Figure | None
    new: Figure | None
    sign: Literal[1, -1] = 1

    @property
    def difference(self) -> float:
        """The difference, new minus old; NaN if a side lacks it."""
        return self.new.value - self.old.value if self.old and self.new else math.nan

    @property
    def loss(self) -> float:
        """The drop in quality; negative if it improved, NaN if a side lacks it."""
        return -self.sign * self.difference

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the difference; None if a side has none.

        The distances from value to limit add up as squares, each side its own, so that lopsided intervals stay
        lopsided: Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics in
        Medicine 27. It takes the two as independent. Measured on the same clips they are not: it is rather too wide.
        """
        old, new = self.old, self.new
        if old is None or new is None or old.interval is None or new.interval is None:
            return None
        return (
            self.difference - math.hypot(max(new.value - new.interval[0], 0), max(old.interval[1] - old.value, 0)),
            self.difference + math.hypot(max(new.interval[1] - new.value, 0), max(old.value - old.interval[0], 0)),
        )

    @property
    def mark(self) -> Mark:
        """How it changed. Without an interval, every difference is one."""
        if self.new is None:
            return "missing"
        if self.old is None:
            return "new"
        if abs(self.loss) <= TOLERANCE:
            return "same"
        if self.interval and self.interval[0] <= 0 <= self.interval[1]:
            return "within noise"
        return "worse" if self.loss > 0 else "better"


def figures(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Figure]:
    """Flatten metrics: numbers by their dotted names, each with its interval from the `intervals` beside it.

    Thresholds are left out.
    """
    intervals = tree.get("intervals", {})
    found: dict[str, Figure] = {}
    for key, value in tree.items():
        if key in CHOSEN:
            continue
        if isinstance(value, Mapping) and key != "intervals":
            found |= figures(value, f"{prefix}{key}.")
        elif is_number(value):
            found[f"{prefix}{key}"] = Figure(value, _interval(intervals, key))
    return found


def direction_of(name: str) -> Direction:
    """Return the direction of a metric, by its name: whether higher or lower values are better."""
    return "lower" if any(word in name.rpartition(".")[2] for word in LOWER_IS_BETTER) else "higher"


def compare(
    old: Mapping[str, Figure], new: Mapping[str, Figure], directions: Mapping[str, Direction]
) -> dict[str, Change]:
    """Pair the metrics of two sides; sizes of test sets are not among them.

    Parameters
    ----------
    directions : of some metrics; the others have the direction of their name.
    """
    names = [name for name in dict.fromkeys((*old, *new)) if not _is_size(name)]
    known = {name: directions.get(name, direction_of(name)) for name in names}
    return {name: Change(old.get(name), new.get(name), 1 if known[name] == "higher" else -1) for name in names}


def changed_sizes(old: Mapping[str, Figure], new: Mapping[str, Figure]) -> Iterator[str]:
    """Name the test sets with another number of clips: their metrics cannot be compared."""
    for name in filter(_is_size, old):
        if name in new and old[name].value != new[name].value:
            yield f"another test set: `{name}` was {old[name].value:g} and is {new[name].value:g}"


def missing(changes: Mapping[str, Change], named: Sequence[str]) -> Iterator[str]:
    """Return which metrics are missing, of those of the base and those in rules."""
    gone = [name for name, change in changes.items() if change.new is None]
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        yield f"missing, though the base has them: {', '.join(f'`{name}`' for name in gone[:3])}{more}"
    for name in named:
        if name not in changes:
            yield f"`{name}` has a rule, but neither side has such a metric"
        elif changes[name].old is None:
            yield f"`{name}` has a rule, but the base has no such metric; add the rule once it has"


def _is_size(name: str) -> bool:
    return name.rpartition(".")[2] == SIZE


def is_number(value: Any) -> bool:
    """Return whether a value that was read is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _interval(intervals: Any, key: str) -> Interval | None:
    limits = intervals.get(key) if isinstance(intervals, Mapping) else None
    if isinstance(limits, list) and len(limits) == 2 and all(map(is_number, limits)):
        return limits[0], limits[1]
    return None
