"""Training: clips per second in float32, against `mixed_bfloat16`, on the backend that Keras finds.

python -m benchmarks.precision
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import side_by_side
from benchmarks.side_by_side import Row
from instrec import params
from instrec.models import architectures
from instrec.models.heads import TASKS
from instrec.training import devices, fit, precision

BATCH, STEPS, TURNS = 64, 20, 7
SIZES = {"the default model": ((65, 96, 1), 24), "the released model": ((130, 96, 1), 32)}  # features, width


def training(parameters: params.Params, shape: tuple[int, int, int], policy: Any) -> Callable[[], float]:
    """Return what trains for some steps, and says how many clips it took in a second."""
    with precision.building(replace(parameters.train, precision=policy)):
        model = architectures.build(shape, len(parameters.classes), parameters.task, parameters.model)
    fit.compiled(parameters, model, 1)
    rng = np.random.default_rng(0)
    spectrograms = rng.random((BATCH, *shape), dtype=np.float32)
    labels = np.eye(len(parameters.classes), dtype=np.float32)[rng.integers(0, len(parameters.classes), BATCH)]
    targets = TASKS[parameters.task].targets(labels)

    def steps() -> None:
        for _ in range(STEPS):
            model.train_on_batch(spectrograms, targets)

    return lambda: STEPS * BATCH / side_by_side.seconds(steps)


def compared() -> Iterator[Row]:
    parameters = params.load(Path(__file__).parents[1] / "params.yaml")
    devices.prepare(parameters.seed)
    for name, (shape, width) in SIZES.items():
        sized = replace(parameters, model=replace(parameters.model, width=width))
        policies = ("float32", "mixed_bfloat16")
        yield from side_by_side.rows(
            f"{name}, {'x'.join(map(str, shape))}",
            "clips/s",
            {policy: training(sized, shape, policy) for policy in policies},
            TURNS,
        )


def main() -> None:
    for row in compared():
        print(side_by_side.line(row), flush=True)


if __name__ == "__main__":
    main()
