"""Mixed precision: a model may compute in half precision while it trains, and computes in float32 from then on.

Its weights, and the outputs of its heads, are float32 all the time. float16 has a smaller range than float32, so that
Keras scales the loss; bfloat16 has the same.

Keras normalizes batches in float32 and in a dozen steps, which take as long as the convolutions where those are in
bfloat16. TensorFlow has one step for it.

Source: Micikevicius et al., Mixed precision training (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from instrec.models.backend import keras, layers
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


@keras.saving.register_keras_serializable("instrec")
class FusedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalization of features [shape=(clips, frames, bins, channels)], in one step of TensorFlow."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        neutral = [tf.shape(inputs)[-1]]
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma if self.scale else tf.ones(neutral),
            offset=self.beta if self.center else tf.zeros(neutral),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], variance.dtype)
        variance *= (count - 1) / count  # it estimates that of more clips; Keras keeps that of these
        for kept, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + now * (1 - self.momentum))
        return y


def fused(model: Any) -> Any:
    """Return a model with the same weights that normalizes batches in one step; itself where it is not in bfloat16."""
    normalizations = [layer for layer in _layers(model) if isinstance(layer, layers.BatchNormalization)]
    if keras.backend.backend() != "tensorflow" or all(each.compute_dtype != "bfloat16" for each in normalizations):
        return model

    def kind(layer: Any) -> Any:
        normalizes = isinstance(layer, layers.BatchNormalization) and len(layer.input.shape) == 4
        return FusedBatchNormalization if normalizes else type(layer)

    return _copy(model, lambda layer: kind(layer).from_config(layer.get_config()))


def single(model: Any) -> Any:
    """Return a model with the same weights, which computes in float32; the model itself if it does so already."""
    if all(layer.compute_dtype == "float32" for layer in _layers(model)):
        return model

    def kind(layer: Any) -> Any:
        return layers.BatchNormalization if isinstance(layer, FusedBatchNormalization) else type(layer)

    return _copy(model, lambda layer: kind(layer).from_config(layer.get_config() | {"dtype": "float32"}))


def _layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of the models in it."""
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)


def _copy(model: Any, layer_for: Callable[[Any], Any]) -> Any:
    copy = keras.models.clone_model(model, clone_function=layer_for, recursive=True)
    copy.set_weights(model.get_weights())
    return copy
