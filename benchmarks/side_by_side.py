"""Contenders by turns in one run, so that a busy machine slows all alike: `python -m benchmarks.side_by_side`.

It runs every comparison and writes docs/benchmarks.md, which is what `make bench` does. Ratios hold across machines;
rates do not.
"""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/benchmarks.md"
COMPARISONS = ("spectrograms", "rendering", "cluster", "predict", "memory", "precision", "ceiling")

INTRODUCTION = """\
# Benchmarks

`make bench` writes this page: every comparison side by side, by turns, in one run. A ratio above 1 means that instrec
is faster; it is computed for each turn. Ratios hold across machines, rates do not.
"""


@dataclass(frozen=True)
class Row:
    """A comparison.

    Attributes
    ----------
    what, against : the work, and who else does it.
    rate, unit : the median of ours.
    ratios : of our rate to the other's, turn by turn.
    """

    what: str
    against: str
    rate: float
    unit: str
    ratios: tuple[float, ...]


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rows(what: str, unit: str, rates: Mapping[str, Callable[[], float]], turns: int) -> Iterator[Row]:
    """Measure by turns, after one that is not counted, and compare the first with each other contender.

    Parameters
    ----------
    rates : returns the rate of each contender, ours first.
    """
    measured: dict[str, list[float]] = {name: [] for name in rates}
    for turn in range(turns + 1):
        for name, rate in rates.items():
            value = rate()
            if turn:
                measured[name].append(value)
    ours, *others = measured
    for other in others:
        ratios = tuple(one / two for one, two in zip(measured[ours], measured[other], strict=True))
        yield Row(what, other, statistics.median(measured[ours]), unit, ratios)


def line(row: Row) -> str:
    """Return the row of a Markdown table."""
    low, middle, high = min(row.ratios), statistics.median(row.ratios), max(row.ratios)
    return f"| {row.what} | {row.against} | {row.rate:,.0f} {row.unit} | {low:.2f} | **{middle:.2f}** | {high:.2f} |"


def shown(compared: Iterable[Row]) -> list[str]:
    """Print rows as they are measured, and return them as `line` gives them."""
    lines = []
    for row in compared:
        lines.append(line(row))
        print(lines[-1], flush=True)
    return lines


def machine() -> str:
    """Describe the processor, and what was measured."""
    processor = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'unknown'}, {processor}, "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def main() -> None:
    text = [INTRODUCTION, machine() + ".\n"]
    for name in COMPARISONS:
        module = importlib.import_module(f"benchmarks.{name}")
        title = module.__doc__.partition(":")[0].strip()
        text.append(f"## {title}\n\n`python -m benchmarks.{name}`\n")
        text.append(
            "| work | against | our rate | lowest ratio | median | highest |\n| --- | --- | --- | --- | --- | --- |"
        )
        text += [*shown(module.compared()), ""]
    PAGE.write_text("\n".join(text))


if __name__ == "__main__":
    main()
