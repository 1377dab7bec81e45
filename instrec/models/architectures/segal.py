"""Segal's network for solo recordings (2016).

As published: input normalized with constants; four convolutions of 64 filters of 3x3, each followed by max pooling;
ReLU; dropout .5 after the second, third and fourth convolution and in the dense layer. Not published, and chosen here:
the constants, pools of 2x2, zero padding, 256 units in the dense layer, and a slope of .01 for the leaky ReLU (Maas and
others 2013). "Normalizing batches" is read as normalizing the input: batch normalization between the layers, where
dropout follows, costs .23 of top-1 on an unseen SoundFont.

The constants are mean and standard deviation of log-mel features, and of a waveform, over training clips of recipe
`segal2016`, rounded. They are part of the network, so that a trained model needs nothing else.

The other variants are ablations and future work that the source names without details, so their sizes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams

_LOG_MEL, _WAVEFORM = (0.25, 0.25), (0.5, 0.1)  # mean and standard deviation
_FILTERS, _DROPOUT = (64, 64, 64, 64), (0.0, 0.5, 0.5, 0.5)

# Filters, kernel and stride of the convolutions over a wave: 65 frames of 64 for 3 s at 22,050 Hz.
_WAVE = ((32, 64, 8), (64, 16, 8), (64, 32, 16))


def segal(
    inputs: Any,
    params: ModelParams,
    *,
    filters: Sequence[int] = _FILTERS,
    dropout: Sequence[float] = _DROPOUT,
    slope: float = 0.0,
) -> Any:
    """Build the trunk: 256 features.

    Parameters
    ----------
    filters, dropout : of each convolution.
    slope : of the ReLU below zero.

    Raises
    ------
    UserError
        If the pools leave nothing of the features.
    """
    smallest = 2 ** len(filters)
    input_checks.check(inputs, params, frames=smallest, bins=smallest)
    return _convolutions(_normalized(inputs, *_LOG_MEL), filters, dropout, slope)


def segal_wave(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk for features `waveform`: strided convolutions over time make frames and bins of it.

    Raises
    ------
    UserError
        If the pools leave nothing of these frames.
    """
    frames, bins = inputs.shape[1], inputs.shape[2] * inputs.shape[3]
    input_checks.check(inputs, params, frames=15 * 1024 + 1, bins=1)  # 16 after the strides
    x = _normalized(layers.Reshape((frames, bins), name="samples")(inputs), *_WAVEFORM)
    for number, (filters, kernel, stride) in enumerate(_WAVE, 1):
        x = layers.Conv1D(filters, kernel, stride, padding="same", activation="relu", name=f"wave{number}")(x)
    x = layers.Reshape((*x.shape[1:], 1), name="frames")(x)
    return _convolutions(x, _FILTERS, _DROPOUT, 0.0)


def _normalized(inputs: Any, mean: float, deviation: float) -> Any:
    return layers.Rescaling(1 / deviation, offset=-mean / deviation, name="normalized")(inputs)


def _convolutions(x: Any, filters: Sequence[int], dropout: Sequence[float], slope: float) -> Any:
    for number, (size, rate) in enumerate(zip(filters, dropout, strict=True), 1):
        name = f"conv{number}"
        x = layers.Conv2D(size, 3, padding="same", name=name)(x)
        # ReLU before the pool gives the same, since it never falls, but computes four times as many numbers.
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        x = layers.LeakyReLU(slope, name=f"{name}_relu")(x)
        if rate:
            x = layers.Dropout(rate, name=f"{name}_dropout")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(256, name="dense")(x)
    x = layers.LeakyReLU(slope, name="dense_relu")(x)
    return layers.Dropout(0.5, name="dense_dropout")(x)


VARIANTS: dict[str, Trunk] = {
    "default": segal,
    "leaky": partial(segal, slope=0.01),
    "growing": partial(segal, filters=(32, 64, 128, 256)),
    "three_layers": partial(segal, filters=(64,) * 3, dropout=(0.0, 0.5, 0.5)),
    "five_layers": partial(segal, filters=(64,) * 5, dropout=(0.0, 0.5, 0.5, 0.5, 0.5)),
    "dropout_per_layer": partial(segal, dropout=(0.1, 0.2, 0.3, 0.4)),
    "wave": segal_wave,
}
