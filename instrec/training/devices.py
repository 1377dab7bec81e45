"""Devices for training: mixed precision on a GPU, and several devices together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from instrec.errors import conflict
from instrec.models.backend import keras


def prepare(seed: int) -> None:
    """Make training repeatable, and choose mixed precision if there is a GPU."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy("mixed_float16" if gpus() else "float32")


@contextmanager
def all_at_once(batch_size: int) -> Iterator[int]:
    """Share the batches of models that are trained in the `with` block among all devices of the best kind.

    TensorFlow uses its MirroredStrategy, and JAX Keras's DataParallel. torch uses one device.

    Yields
    ------
    Number of devices; the size of every batch must be a multiple of it.

    Raises
    ------
    UserError
        If `batch_size` is no such multiple.
    """
    devices = gpus() or keras.distribution.list_devices()
    if len(devices) < 2 or keras.backend.backend() == "torch":
        yield 1
        return
    if batch_size % len(devices):
        raise conflict(
            "train.batch_size",
            f"{batch_size} clips cannot be shared by {len(devices)} devices; give a multiple of {len(devices)}",
        )
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        with tensorflow.distribute.MirroredStrategy(devices).scope():
            yield len(devices)
    else:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        try:
            yield len(devices)
        finally:
            keras.distribution.set_distribution(None)


def gpus() -> list[str]:
    """Return the names of the GPUs, or other accelerators, that Keras can use."""
    return [device for device in keras.distribution.list_devices() if not device.startswith("cpu")]
