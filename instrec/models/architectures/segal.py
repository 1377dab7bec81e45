"""Segal's network for solo recordings (2016).

As published: four convolutions of 64 filters of 3x3, each followed by max pooling; ReLU; batch normalization; dropout
.5 after the second, third and fourth convolution and in the dense layer. Not published, and chosen here: pools of 2x2,
zero padding, batch normalization between convolution and activation, 256 units in the dense layer, and a slope of .01
for the leaky ReLU (Maas and others 2013).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams


def segal(inputs: Any, params: ModelParams, *, slope: float = 0.0) -> Any:
    """Build the trunk: 256 features; `slope` is that of the ReLU below zero."""
    input_checks.check(inputs, params, frames=16, bins=16)
    x = inputs
    for name in ("conv1", "conv2", "conv3", "conv4"):
        x = layers.Conv2D(64, 3, padding="same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
        x = layers.LeakyReLU(slope, name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        if name != "conv1":
            x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(256, name="dense")(x)
    x = layers.LeakyReLU(slope, name="dense_relu")(x)
    return layers.Dropout(0.5, name="dense_dropout")(x)


VARIANTS: dict[str, Trunk] = {
    "default": segal,
    "leaky": partial(segal, slope=0.01),
}
