"""Limits of training: arithmetic of a step against matrix multiplication, and how soon batches are ready.

- Billions of operations per second, a step being three times the forward pass, against products of square matrices in
  TensorFlow: the ratio is the share of the processor's limit that is reached.
- Clips per second of `Batches`, in one of its two threads, against those of the steps.

python -m benchmarks.ceiling
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import tensorflow as tf

from benchmarks import precision, side_by_side
from benchmarks.precision import BATCH, SIZES
from benchmarks.side_by_side import ROOT, Row
from instrec import params
from instrec.models import architectures
from instrec.training import devices
from instrec.training.batches import Batches
from instrec.util.hdf5 import open_store

SIDE, PRODUCTS, TURNS = 2048, 10, 5


def forward_operations(parameters: params.Params, shape: tuple[int, int, int]) -> int:
    """Return the floating-point operations of one clip, as TensorFlow's profiler counts them."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph

    model = architectures.build(shape, len(parameters.classes), parameters.task, parameters.model)
    concrete = tf.function(lambda clip: model(clip, training=False)).get_concrete_function(
        tf.TensorSpec((1, *shape), tf.float32)
    )
    _, graph = convert_variables_to_constants_v2_as_graph(concrete)
    with tf.Graph().as_default() as counted:
        tf.graph_util.import_graph_def(graph, name="")
        options = tf.compat.v1.profiler.ProfileOptionBuilder(
            tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        )
        profile = tf.compat.v1.profiler.profile(counted, cmd="op", options=options.with_empty_output().build())
    return int(profile.total_float_ops)


def product() -> float:
    """Return the billions of operations per second of a product of matrices."""
    one = tf.random.uniform((SIDE, SIDE))

    def work() -> None:
        for _ in range(PRODUCTS):
            tf.linalg.matmul(one, one).numpy()

    return PRODUCTS * 2 * SIDE**3 / side_by_side.seconds(work) / 1e9


def computed(clips_per_second: Callable[[], float], billions: float) -> float:
    return clips_per_second() * billions


@contextmanager
def preparing(parameters: params.Params, shape: tuple[int, int, int]) -> Iterator[Callable[[], float]]:
    """Yield what prepares batches of noise in one thread, and says how many clips it made in a second."""
    clips = precision.STEPS * BATCH
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.h5"
        precision.write_clips(path, shape, parameters.classes)
        with open_store(path) as store:
            batches = Batches(store, parameters, 0)
            yield lambda: clips / side_by_side.seconds(lambda: [batches[index] for index in range(len(batches))])


def compared() -> Iterator[Row]:
    parameters = params.load(ROOT / "params.yaml")
    devices.prepare(parameters.seed)
    for name, (shape, width) in SIZES.items():
        sized = replace(parameters, model=replace(parameters.model, width=width))
        billions = 3 * forward_operations(sized, shape) / 1e9
        steps = precision.training(sized, shape, "float32")
        limits: dict[str, Callable[[], float]] = {
            "steps": partial(computed, steps, billions),
            f"products of {SIDE} x {SIDE}": product,
        }
        yield from side_by_side.rows(f"{name}, arithmetic", "GFLOP/s", limits, TURNS)
        with preparing(sized, shape) as prepared:
            yield from side_by_side.rows(f"{name}, batches", "clips/s", {"batches": prepared, "steps": steps}, TURNS)


if __name__ == "__main__":
    side_by_side.shown(compared())
