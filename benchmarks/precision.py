"""Training: clips per second in float32, against `mixed_bfloat16`, on the backend that Keras finds.

python -m benchmarks.precision
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec import params
from instrec.models import architectures
from instrec.training import devices, fit, precision
from instrec.training.batches import Batches
from instrec.util import hdf5

BATCH, STEPS, TURNS = 64, 20, 3
SIZES = {"the default model": ((65, 96, 1), 24), "the released model": ((130, 96, 1), 32)}  # features, width


def training(parameters: params.Params, shape: tuple[int, int, int], policy: Any) -> Callable[[], float]:
    """Return what trains for some steps, and says how many clips it took in a second."""
    with precision.building(replace(parameters.train, precision=policy)):
        model = precision.fused(architectures.build(shape, len(parameters.classes), parameters.task, parameters.model))
    fit.compiled(parameters, model, 1)
    folder = tempfile.TemporaryDirectory()  # removed with the last reference to `steps`
    write_clips(Path(folder.name) / "train.h5", shape, parameters.classes)

    def steps() -> None:
        with hdf5.open_store(Path(folder.name) / "train.h5") as clips:
            model.fit(Batches(clips, parameters), shuffle=False, verbose=0)

    return lambda: STEPS * BATCH / side_by_side.seconds(steps)


def write_clips(path: Path, shape: tuple[int, int, int], classes: tuple[str, ...]) -> None:
    """Write a store of random features, whose batches are augmented as in training."""
    rng = np.random.default_rng(0)
    labels = np.eye(len(classes), dtype=np.uint8)[rng.integers(0, len(classes), STEPS * BATCH)]
    ids = [str(number) for number in range(len(labels))]
    with hdf5.create(
        path, name="features", shape=shape, dtype=np.float16, ids=ids, labels=labels, classes=classes
    ) as writer:
        writer.append(rng.random((len(labels), *shape), dtype=np.float32).astype(np.float16))


def compared() -> Iterator[Row]:
    parameters = params.load(ROOT / "params.yaml")
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


if __name__ == "__main__":
    side_by_side.shown(compared())
