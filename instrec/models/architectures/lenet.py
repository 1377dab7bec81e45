"""LeNet, which Yun and Bi compare with an LSTM.

As published: convolution - max pooling 2x2 - convolution - max pooling 2x2 - dense layers of 120 and 84 units, on 80
frames of 64 or 128 bands. Not published, and chosen here: the 6 and 16 filters of LeCun and others (Gradient-based
learning applied to document recognition, 1998), no padding as there, and ReLU. The paper writes bands before frames
(64x80), so its kernel 3x8 is read as three bands by eight frames.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams


def lenet(inputs: Any, params: ModelParams, *, kernel: tuple[int, int]) -> Any:
    """Build the trunk: 84 features; `kernel` is in frames and bins."""
    frames, bins = (3 * size + 1 for size in kernel)  # leaves the second pool two values in each direction
    input_checks.check(inputs, params, frames=frames, bins=bins)
    x = inputs
    for number, filters in enumerate((6, 16), 1):
        x = layers.Conv2D(filters, kernel, activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(120, activation="relu", name="dense1")(x)
    return layers.Dense(84, activation="relu", name="dense2")(x)


VARIANTS: dict[str, Trunk] = {
    "5x5": partial(lenet, kernel=(5, 5)),
    "3x8": partial(lenet, kernel=(8, 3)),
}
