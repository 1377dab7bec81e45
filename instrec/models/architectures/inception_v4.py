"""Inception-v4: the modules of Inception-ResNet-v2 without residual connections, with dense layers on top.

Source: Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the impact of residual connections on
learning (AAAI 2017, arXiv 1602.07261), section 3.1, figures 3 to 9 and table 1. Batch normalization follows each
convolution. The dense layers are those of `inception_resnet_v2`, in place of the mean of each map and its dropout, so
that the two networks compare. Keras has no ImageNet weights for it.
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks, pretrained
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams

# The branches of a module, from input to end. A convolution: filters, height, width; with a fourth number it is not
# padded, and that is its stride. MEAN and MAX: 3x3 pooling, of stride 1 with padding, and of stride 2 without.
Branch = tuple[tuple[int, ...], ...]
MEAN, MAX = (), (0,)

_STEM: tuple[tuple[Branch, ...], ...] = (
    (((32, 3, 3, 2), (32, 3, 3, 1), (64, 3, 3)),),
    ((MAX,), ((96, 3, 3, 2),)),
    (((64, 1, 1), (96, 3, 3, 1)), ((64, 1, 1), (64, 7, 1), (64, 1, 7), (96, 3, 3, 1))),
    (((192, 3, 3, 2),), (MAX,)),
)
_A: tuple[Branch, ...] = (
    (MEAN, (96, 1, 1)),
    ((96, 1, 1),),
    ((64, 1, 1), (96, 3, 3)),
    ((64, 1, 1), (96, 3, 3), (96, 3, 3)),
)
_REDUCTION_A: tuple[Branch, ...] = ((MAX,), ((384, 3, 3, 2),), ((192, 1, 1), (224, 3, 3), (256, 3, 3, 2)))
_B: tuple[Branch, ...] = (
    (MEAN, (128, 1, 1)),
    ((384, 1, 1),),
    ((192, 1, 1), (224, 1, 7), (256, 7, 1)),
    ((192, 1, 1), (192, 1, 7), (224, 7, 1), (224, 1, 7), (256, 7, 1)),
)
_REDUCTION_B: tuple[Branch, ...] = (
    (MAX,),
    ((192, 1, 1), (192, 3, 3, 2)),
    ((256, 1, 1), (256, 1, 7), (320, 7, 1), (320, 3, 3, 2)),
)


def inception_v4(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: the convolutions, then dense layers of `dense` units."""
    input_checks.check(inputs, params, frames=75, bins=75)
    x = layers.Rescaling(2.0, offset=-1.0, name="scale")(inputs)  # to -1..1, as for inception_resnet_v2
    for number, branches in enumerate(_STEM, 1):
        x = _module(x, branches, f"stem{number}")
    for number in range(1, 5):
        x = _module(x, _A, f"a{number}")
    x = _module(x, _REDUCTION_A, "reduction_a")
    for number in range(1, 8):
        x = _module(x, _B, f"b{number}")
    x = _module(x, _REDUCTION_B, "reduction_b")
    for number in range(1, 4):
        x = _module_c(x, f"c{number}")
    return pretrained.dense(x, params)


def _module(x: Any, branches: tuple[Branch, ...], name: str) -> Any:
    ends = [_branch(x, branch, f"{name}_{number}") for number, branch in enumerate(branches, 1)]
    return layers.Concatenate(name=name)(ends) if len(ends) > 1 else ends[0]


def _module_c(x: Any, name: str) -> Any:
    """Two of its branches fork at their end (figure 6)."""
    pooled = _branch(x, (MEAN, (256, 1, 1)), f"{name}_1")
    single = _branch(x, ((256, 1, 1),), f"{name}_2")
    short = _branch(x, ((384, 1, 1),), f"{name}_3")
    long = _branch(x, ((384, 1, 1), (448, 1, 3), (512, 3, 1)), f"{name}_4")
    forks = [
        _branch(end, (fork,), f"{name}_{number}_{fork[1]}x{fork[2]}")
        for number, end in ((3, short), (4, long))
        for fork in ((256, 1, 3), (256, 3, 1))
    ]
    return layers.Concatenate(name=name)([pooled, single, *forks])


def _branch(x: Any, branch: Branch, name: str) -> Any:
    for number, step in enumerate(branch, 1):
        own = f"{name}_{number}"
        if step == MEAN:
            x = layers.AveragePooling2D(3, strides=1, padding="same", name=own)(x)
        elif step == MAX:
            x = layers.MaxPooling2D(3, strides=2, name=own)(x)
        else:
            filters, height, width, *unpadded = step
            strides, padding = (unpadded[0], "valid") if unpadded else (1, "same")
            x = layers.Conv2D(filters, (height, width), strides, padding, use_bias=False, name=own)(x)
            x = layers.BatchNormalization(name=f"{own}_norm")(x)
            x = layers.Activation("relu", name=f"{own}_relu")(x)
    return x


VARIANTS: dict[str, Trunk] = {"default": inception_v4}
