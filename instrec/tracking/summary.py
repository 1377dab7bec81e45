"""The end of `make repro`: the metrics of each test set, and where to find more."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instrec.errors import run
from instrec.util import documents
from instrec.util.text import aligned

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
AVERAGES = [
    (f"{average}_{figure}", f"{average} {title}")
    for average in ("micro", "macro")
    for figure, title in (("precision", "P"), ("recall", "R"), ("f1", "F1"))
]

FURTHER = """\
Intervals and classes: metrics/test.json, metrics/per_class.csv
Images and sounds: `instrec dev report` writes report.html; `dvc plots show` draws into dvc_plots/index.html"""


def table(metrics: Mapping[str, Any]) -> list[str]:
    """Lay out solo clips and mixtures, one line per test set; a dash if a set has none, no column if no set has."""
    rows = {
        name: [parts.get(kind, {}).get(metric) for kind, metric, _ in COLUMNS]
        for name, parts in metrics.items()
        if "solo" in parts or "mixtures" in parts
    }
    shown = [place for place in range(len(COLUMNS)) if any(row[place] is not None for row in rows.values())]
    lines = [
        ["", *("solo" if COLUMNS[place][0] == "solo" else "mix" for place in shown)],
        ["test set", *(COLUMNS[place][2] for place in shown)],
        *(
            [name, *("-" if row[place] is None else f"{row[place]:.3f}" for place in shown)]
            for name, row in rows.items()
        ),
    ]
    return aligned(lines, right=range(1, len(shown) + 1)) if rows else []


def excerpts_table(metrics: Mapping[str, Any]) -> list[str]:
    """Lay out excerpts, one line per protocol: how windows are combined, and which threshold is used.

    The first is the mean of windows with the model's own thresholds, over all files.
    """
    lines = [["excerpts", "protocol", "files", *(title for _, title in AVERAGES)]]
    for name, parts in metrics.items():
        if excerpts := parts.get("excerpts"):
            swept = {key: value for key, value in excerpts.items() if isinstance(value, dict) and key != "intervals"}
            for protocol, figures in {"own thresholds": excerpts, **swept}.items():
                shares = (f"{figures[metric]:.3f}" for metric, _ in AVERAGES)
                lines.append([name, protocol, str(figures["clips"]), *shares])
    return aligned(lines, right=range(2, len(lines[0]))) if len(lines) > 1 else []


def main() -> None:
    """Print the tables of `metrics/test.json`.

    Raises
    ------
    UserError
        If it is missing or damaged.
    """
    with documents.expected(METRICS, "run `dvc repro`"):
        metrics = documents.load_json(METRICS, remedy="run `dvc repro`")
        parts = ["\n".join(lines) for lines in (table(metrics), excerpts_table(metrics)) if lines]
    print("\n\n".join(parts))
    print(FURTHER)


if __name__ == "__main__":
    sys.exit(run(main))
