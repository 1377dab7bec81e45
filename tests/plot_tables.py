"""Tables as stage evaluate writes them for plots."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PROGRAMS = [f"gm_{program:03}" for program in range(128)]

Rows = list[dict[str, str]]


def confusions(*pairs: tuple[str, str]) -> Rows:
    return [{"actual": actual, "predicted": predicted} for actual, predicted in pairs]


def confused_programs() -> Rows:
    """Three clips of each program, taken for the first one of its family."""
    return confusions(*((name, PROGRAMS[at - at % 8]) for at, name in enumerate(PROGRAMS) for _ in range(3)))


def f1(classes: Sequence[str]) -> Rows:
    values = np.linspace(0.9, 0.1, len(classes))
    return [
        {"class": name, "f1": f"{value:.4f}", "low": f"{value - 0.05:.4f}", "high": f"{value + 0.05:.4f}", "clips": "9"}
        for name, value in zip(classes, values, strict=True)
    ]


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
