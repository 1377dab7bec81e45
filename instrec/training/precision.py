"""Mixed precision: a model may compute in half precision while it trains, and computes in float32 from then on.

Its weights, and the outputs of its heads, are float32 all the time. float16 has a smaller range than float32, so that
Keras scales the loss; bfloat16 has the same.

Source: Micikevicius et al., Mixed precision training (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from instrec.models.backend import keras
from instrec.params import TrainParams
from instrec.training import devices


@contextmanager
def building(train: TrainParams) -> Iterator[None]:
    """Build layers that compute as `train.precision` says; auto is half precision on a GPU alone."""
    before = keras.config.dtype_policy()
    automatic = "mixed_float16" if devices.gpus() else "float32"
    keras.config.set_dtype_policy(automatic if train.precision == "auto" else train.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def single(model: Any) -> Any:
    """Return a model with the same weights, which computes in float32; the model itself if it does so already."""
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model

    def copied(layer: Any) -> Any:
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy
