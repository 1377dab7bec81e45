"""Memory in training: clips per second where what is freed is kept, the default, against glibc's own way.

python -m benchmarks.memory
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import precision, side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec import params
from instrec.training import devices

TURNS = 3
KEPT, GLIBC = "memory kept", "glibc's defaults"


def rate(way: str, name: str) -> float:
    """Return the clips per second of a process of its own, as what it has allocated stays with it."""
    command = [sys.executable, "-m", "benchmarks.memory", way, name]
    return float(subprocess.check_output(command, cwd=ROOT, text=True))


def compared() -> Iterator[Row]:
    for name in precision.SIZES:
        rates = {way: partial(rate, way, name) for way in (KEPT, GLIBC)}
        yield from side_by_side.rows(f"{name}, float32", "clips/s", rates, TURNS)


def measure(way: str, name: str) -> float:
    """Train for some steps in this process, and then for those that count."""
    if way == GLIBC:
        devices.keep_memory = lambda: None
    parameters = params.load(Path("params.yaml"))
    devices.prepare(parameters.seed)
    shape, width = precision.SIZES[name]
    sized = replace(parameters, model=replace(parameters.model, width=width))
    steps = precision.training(sized, shape, "float32")
    steps()
    return steps()


def main() -> None:
    if len(sys.argv) > 1:
        print(measure(*sys.argv[1:]))
        return
    side_by_side.shown(compared())


if __name__ == "__main__":
    main()
