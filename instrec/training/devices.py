"""Devices for training: memory that is kept on a CPU, and several devices together."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from instrec.errors import conflict
from instrec.models.backend import keras


def prepare(seed: int) -> None:
    """Make training repeatable, and keep its memory."""
    keep_memory()
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()


# Names and numbers of malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def keep_memory() -> None:
    """Have glibc keep what is freed, in one arena.

    By default it returns large blocks to the kernel, which gives them back page by page, full of zeros. The tensors of
    a training step are such blocks, and on a CPU this takes as long as the step. Other C libraries stay as they are.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for name, value in ((_M_ARENA_MAX, 1), (_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1)):
            libc.mallopt(name, value)


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
