"""A small residual network for training on a CPU.

Strided convolutions over all filters reduce the size: processors compute these fastest. Residual blocks (He et al.
2016) of separable convolutions (Howard et al., MobileNets, 2017, section 3.1) refine the result with few weights. The
pooling has a weight for every frequency (not from a paper): the frequency of a partial says much about an instrument,
and an average would lose it.
"""

from __future__ import annotations

from typing import Any

from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams


def compact_resnet(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: `width` filters first, eight times as many at the end; `blocks` blocks after each halving."""
    x = _convolved(inputs, params.width, 5, 2, "stem")
    for stage, times in enumerate((2, 4, 6)):
        x = _convolved(x, times * params.width, 3, 2, f"stage{stage}")
        for block in range(params.blocks):
            x = _residual(x, f"stage{stage}_block{block}")
    x = _convolved(x, 8 * params.width, 3, 1, "last")
    # One weight per frequency and filter. Then the mean over time, for sounds throughout, and the maximum, for short
    # ones.
    x = layers.DepthwiseConv2D((1, x.shape[2]), use_bias=False, name="frequencies")(x)
    x = _active(x, "frequencies")
    return layers.Concatenate(name="over_time")(
        [layers.GlobalAveragePooling2D(name="mean")(x), layers.GlobalMaxPooling2D(name="maximum")(x)]
    )


def _active(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _convolved(x: Any, filters: int, size: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name=name)(x)
    return _active(x, name)


def _residual(x: Any, name: str) -> Any:
    """Add a residual block of two separable convolutions."""
    filters, around = x.shape[-1], x
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_a")(x)
    x = _active(x, f"{name}_a")
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_b")(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_b_norm")(x)
    x = layers.Add(name=f"{name}_add")([x, around])
    return layers.Activation("relu", name=f"{name}_relu")(x)


VARIANTS: dict[str, Trunk] = {"default": compact_resnet}
