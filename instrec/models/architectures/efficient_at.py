"""EfficientAT: a MobileNetV3 over mel bands, with weights that were trained on AudioSet if wanted.

Sources: Howard et al., Searching for MobileNetV3 (ICCV 2019), table 1; Schmid, Koutini & Widmer, Efficient large-scale
audio tagging via transformer-to-CNN knowledge distillation (ICASSP 2023), and its code, for what differs: one input
channel, twice the stride at the start only in the first layer, squeezes by a quarter of the expanded filters with a
sigmoid, and two dense layers behind the mean over time and bands, the last of which is our head. `mn04` has 0.4 of the
filters. With weights of AudioSet, normalization keeps its statistics, scale and offset, so that few clips at a time do
not spoil them.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from instrec.errors import conflict
from instrec.models import audioset
from instrec.models.architectures import Trunk
from instrec.models.backend import keras, layers
from instrec.params import AUDIOSET, ModelParams

_NAME = "efficient_at"
_BANDS = 128  # of the features that the weights of AudioSet know
_CLASSES = 527  # of AudioSet

# Kernel, expanded filters, filters, whether they are squeezed, activation, stride.
_BLOCKS = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_silu", 2),
    (3, 200, 80, False, "hard_silu", 1),
    (3, 184, 80, False, "hard_silu", 1),
    (3, 184, 80, False, "hard_silu", 1),
    (3, 480, 112, True, "hard_silu", 1),
    (3, 672, 112, True, "hard_silu", 1),
    (5, 672, 160, True, "hard_silu", 2),
    (5, 960, 160, True, "hard_silu", 1),
    (5, 960, 160, True, "hard_silu", 1),
)


def efficient_at(inputs: Any, params: ModelParams, *, width: float) -> Any:
    """Build the trunk: the convolutions and the first dense layer, with `width` of MobileNetV3's filters.

    Raises
    ------
    UserError
        If weights of AudioSet do not fit the features or cannot be fetched.
    """
    base, hidden = _base(inputs.shape[1:], width), _hidden(width)
    x = hidden(base(_scaled(inputs)))
    if params.weights == "audioset":
        if inputs.shape[2:] != (_BANDS, 1):
            raise conflict("model.weights", f"audioset, but its network takes spectrogram.mels: {_BANDS} of part whole")
        audioset.assign((base, hidden), audioset.MN04)
        for layer in base.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    if params.frozen:
        base.trainable = False
    return layers.Dropout(0.2, name="hidden_dropout")(x)


def teacher(frames: int) -> keras.Model:
    """Return the network as it was trained on AudioSet, for features of `audioset_mel` [shape=(clips, frames, 128, 1)].

    Its outputs are `embedding` [shape=(clips, 384)], the mean over time and bands, and `logits` [shape=(clips, 527)] of
    AudioSet's classes.

    Raises
    ------
    UserError
        If its weights cannot be fetched.
    """
    parts = (_base((frames, _BANDS, 1), 0.4), _hidden(0.4), layers.Dense(_CLASSES, dtype="float32", name="logits"))
    base, hidden, logits = parts
    inputs = keras.Input((frames, _BANDS, 1))
    embedding = base(_scaled(inputs))
    outputs = {"embedding": embedding, "logits": logits(hidden(embedding))}
    audioset.assign(parts, audioset.MN04)
    return keras.Model(inputs, outputs, name=f"{_NAME}_teacher")


def _scaled(inputs: Any) -> Any:
    """Undo the scale of `audioset_mel`: to the natural logarithm of power, at 0.00001 where features are 0."""
    _, floor_db = AUDIOSET
    scale, offset = floor_db * math.log(10) / 10, math.log(1e-5)
    return layers.Rescaling(scale / 5, offset=(offset + 4.5) / 5, name="scale")(inputs)


def _base(shape: tuple[int, ...], width: float) -> keras.Model:
    """Return the convolutions and the mean of their outputs as one layer."""
    inputs = keras.Input(shape, name=f"{_NAME}_input")
    x = _convolved(inputs, _filters(16, width), 3, 2, "hard_silu", "stem")
    for number, (kernel, expanded, filters, squeezed, activation, stride) in enumerate(_BLOCKS):
        around, name = x, f"block{number}"
        if _filters(expanded, width) != x.shape[-1]:
            x = _convolved(x, _filters(expanded, width), 1, 1, activation, f"{name}_expand")
        x = _convolved(x, 0, kernel, stride, activation, f"{name}_depthwise")
        if squeezed:
            x = _squeezed(x, f"{name}_squeeze")
        x = _convolved(x, _filters(filters, width), 1, 1, "linear", f"{name}_project")
        if stride == 1 and x.shape == around.shape:
            x = layers.Add(name=f"{_NAME}_{name}_add")([x, around])
    x = _convolved(x, 6 * x.shape[-1], 1, 1, "hard_silu", "last")
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name=f"{_NAME}_mean")(x), name=_NAME)


def _hidden(width: float) -> Any:
    return layers.Dense(_filters(1280, width), activation="hard_silu", name="hidden")


def _convolved(x: Any, filters: int, kernel: int, stride: int, activation: str, name: str) -> Any:
    """Add a convolution, normalization and activation; without `filters`, each channel has a filter of its own."""
    name = f"{_NAME}_{name}"
    if kernel > 1:  # Keras would fill up sizes that the stride divides at one end alone
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    options: dict[str, Any] = {"strides": stride, "use_bias": False, "name": name}
    drawn = keras.initializers.VarianceScaling(2.0, "fan_out")  # He et al., Delving deep into rectifiers, 2015
    if filters:
        convolution = layers.Conv2D(filters, kernel, kernel_initializer=drawn, **options)
    else:
        convolution = layers.DepthwiseConv2D(kernel, depthwise_initializer=drawn, **options)
    x = layers.BatchNormalization(name=f"{name}_norm")(convolution(x))
    return x if activation == "linear" else layers.Activation(activation, name=f"{name}_{activation}")(x)


def _squeezed(x: Any, name: str) -> Any:
    """Weight each channel by what all their means say (Hu, Shen & Sun, Squeeze-and-excitation networks, 2018)."""
    name, channels = f"{_NAME}_{name}", x.shape[-1]
    means = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    fewer = layers.Dense(_filters(channels // 4, 1.0), activation="relu", name=f"{name}_fewer")(means)
    shares = layers.Dense(channels, activation="sigmoid", name=f"{name}_shares")(fewer)
    return layers.Multiply(name=f"{name}_apply")([x, shares])


def _filters(number: int, width: float) -> int:
    """Return a share of a number as a multiple of eight, at most a tenth under it."""
    rounded = max(8, int(number * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * number * width else rounded


VARIANTS: dict[str, Trunk] = {"mn04": partial(efficient_at, width=0.4)}
