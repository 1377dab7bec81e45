"""GoogLeNet: nine inception modules of four parallel branches of convolutions.

Source: Szegedy and others, Going deeper with convolutions (CVPR 2015), table 1; Sethi (2018) uses images of 227x227x3.
Batch normalization after each convolution replaces the paper's local response normalization and its two auxiliary
classifiers, which bring gradients to the lower layers (Ioffe and Szegedy 2015, section 4.2.1). Keras has no ImageNet
weights for it.
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams

# Filters: 1x1 | 1x1 before 3x3, 3x3 | 1x1 before 5x5, 5x5 | 1x1 after pooling
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: 1024 features, each the mean of a map."""
    input_checks.check(inputs, params, frames=32, bins=32)
    x = _convolved(inputs, 64, 7, "conv1", stride=2)
    x = _pooled(x, "pool1")
    x = _convolved(x, 64, 1, "conv2_reduce")
    x = _convolved(x, 192, 3, "conv2")
    x = _pooled(x, "pool2")
    for name, filters in _MODULES.items():
        x = _inception(x, filters, f"inception_{name}")
        if name in ("3b", "4e"):
            x = _pooled(x, f"pool_{name}")
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return layers.Dropout(0.4, name="dropout")(x)


def _convolved(x: Any, filters: int, size: int, name: str, *, stride: int = 1) -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _pooled(x: Any, name: str) -> Any:
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def _inception(x: Any, filters: tuple[int, ...], name: str) -> Any:
    one, reduce3, three, reduce5, five, pool = filters
    around = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    branches = [
        _convolved(x, one, 1, f"{name}_1x1"),
        _convolved(_convolved(x, reduce3, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
        _convolved(_convolved(x, reduce5, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _convolved(around, pool, 1, f"{name}_pool_1x1"),
    ]
    return layers.Concatenate(name=name)(branches)


VARIANTS: dict[str, Trunk] = {"default": googlenet}
