"""Mixed precision: a model computes in bfloat16 while it trains, and in float32 from then on.

Its weights, and the outputs of its heads, are float32 all the time. bfloat16 has the range of float32, so that the loss
needs no scale.

Source: Micikevicius et al., Mixed precision training (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from instrec.models.backend import keras
from instrec.params import TrainParams


@contextmanager
def building(train: TrainParams) -> Iterator[None]:
    """Build layers that compute as `train.precision` says."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(train.precision)
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
