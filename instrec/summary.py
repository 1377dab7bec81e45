"""The last words of `make repro`: what the model reaches on each test set, and where to look further."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instrec.errors import UserError, run

METRICS = Path("metrics/test.json")

COLUMNS = (
    ("solo", "top1", "top-1"),
    ("solo", "macro_f1", "macro F1"),
    ("mixtures", "micro_f1", "micro F1"),
    ("mixtures", "macro_f1", "macro F1"),
    ("mixtures", "count_accuracy", "count"),
    ("mixtures", "exact_set", "exact set"),
    ("mixtures", "lrap", "LRAP"),
)

FURTHER = """\
Intervals and classes: metrics/test.json, metrics/per_class.csv
Pictures: `dvc plots show` draws learning curves, confusion and F1 a class into dvc_plots/index.html"""


def table(metrics: Mapping[str, Any]) -> str:
    """Lay metrics out, a test set a line; a dash where a set has no such clips."""
    rows = [["", *("solo" if kind == "solo" else "mix" for kind, _, _ in COLUMNS)]]
    rows.append(["test set", *(title for _, _, title in COLUMNS)])
    for name, parts in metrics.items():
        figures = (parts.get(kind, {}).get(metric) for kind, metric, _ in COLUMNS)
        rows.append([name, *("-" if figure is None else f"{figure:.3f}" for figure in figures)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)


def main() -> None:
    """Print the table of `metrics/test.json`.

    Raises
    ------
    UserError
        When it is missing or damaged.
    """
    try:
        print(table(json.loads(METRICS.read_text(encoding="utf-8"))))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{METRICS}: cannot be read ({error}); run `dvc repro`") from error
    print(FURTHER)


if __name__ == "__main__":
    sys.exit(run(main))
