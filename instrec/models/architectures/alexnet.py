"""AlexNet: five convolutions, then dense layers.

Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks (NIPS 2012),
section 3; Sethi (2018) uses images of 227x227x3. The paper has two dense layers of 4096 with dropout .5 after each,
`model.dense: [4096, 4096]` and `model.dropout: 0.5`. Two things differ from it: it divides the convolutions between two
GPUs, which here are whole (62.4 instead of 61.0 million weights with its 1000 classes), and batch normalization
replaces local response normalization, as the network hardly learns from scratch without it. Keras has no ImageNet
weights for it.
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks, pretrained
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams


def alexnet(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: the convolutions, then dense layers of `dense` units."""
    input_checks.check(inputs, params, frames=67, bins=67)
    x = _convolved(inputs, 96, 11, "conv1", stride=4)
    x = _pooled(_normed(x, "norm1"), "pool1")
    x = _convolved(x, 256, 5, "conv2")
    x = _pooled(_normed(x, "norm2"), "pool2")
    x = _convolved(x, 384, 3, "conv3")
    x = _convolved(x, 384, 3, "conv4")
    x = _pooled(_convolved(x, 256, 3, "conv5"), "pool5")
    return pretrained.dense(x, params)


def _convolved(x: Any, filters: int, size: int, name: str, *, stride: int = 1) -> Any:
    padding = "same" if stride == 1 else "valid"
    return layers.Conv2D(filters, size, strides=stride, padding=padding, activation="relu", name=name)(x)


def _normed(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=0.95, name=name)(x)


def _pooled(x: Any, name: str) -> Any:
    """Add an overlapping pool (section 3.4)."""
    return layers.MaxPooling2D(3, strides=2, name=name)(x)


VARIANTS: dict[str, Trunk] = {"default": alexnet}
