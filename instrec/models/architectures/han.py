"""Han's network for predominant instruments in polyphonic music, and the variants of Gomez.

Sources: Han, Kim and Lee, Deep convolutional neural networks for predominant instrument recognition in polyphonic music
(IEEE/ACM TASLP 2017), and Gomez, Abesser and Cano, Jazz solo instrument classification with convolutional neural
networks, source separation, and transfer learning (ISMIR 2018). Both use 43 frames of 128 bands, one second of audio.
Maps grow: a margin of 1 is laid around each convolution's input, and the convolution, whose own margin is 1, keeps that
size (Han, table I; Gomez's published model, jazz-show-case). So the last maps are 7 x 10 before global pooling. Not
published, and chosen here: the two branches join before the dense layer; they and the network with three resolutions
have plain ReLU, so that they differ from the baseline in one thing only.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams

_MARGIN = 2  # the one that is laid around and the convolution's own


def han(inputs: Any, params: ModelParams, *, slope: float = 0.0, channels: int | None = None) -> Any:
    """Build the trunk: 1024 features; `slope` is that of the ReLU below zero, `channels` the required channels.

    If `model.frozen` is set, none of it trains, as in Gomez's transfer to jazz solos.
    """
    input_checks.check(inputs, params, frames=1, bins=1, channels=channels)
    return _dense(_convolutions(inputs, slope, "", params), slope, params)


def han_two_branch(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: each of two channels, harmonic and percussive, has its own convolutions."""
    input_checks.check(inputs, params, frames=1, bins=1, channels=2)
    branches = []
    for name, before, behind in (("harmonic", 0, 1), ("percussive", 1, 0)):
        # `channels_first` makes it crop the last two axes, so not frames and bins but bins and channels.
        crop = layers.Cropping2D(((0, 0), (before, behind)), data_format="channels_first", name=name)
        branches.append(_convolutions(crop(inputs), 0.0, f"{name}_", params))
    return _dense(layers.Concatenate(name="fusion")(branches), 0.0, params)


def _convolutions(x: Any, slope: float, prefix: str, params: ModelParams) -> Any:
    """Add four blocks of two convolutions, and pool the last over all frames and bins."""
    for block, filters in enumerate((32, 64, 128, 256), 1):
        name = f"{prefix}block{block}"
        for part in "ab":
            x = layers.ZeroPadding2D(_MARGIN, name=f"{name}_{part}_margin")(x)
            x = layers.Conv2D(filters, 3, trainable=not params.frozen, name=f"{name}_{part}")(x)
            x = layers.LeakyReLU(slope, name=f"{name}_{part}_relu")(x)
        pool = partial(layers.MaxPooling2D, 3) if block < 4 else layers.GlobalMaxPooling2D
        x = pool(name=f"{name}_pool")(x)
        x = layers.Dropout(0.25, name=f"{name}_dropout")(x)
    return x


def _dense(x: Any, slope: float, params: ModelParams) -> Any:
    x = layers.Dense(1024, trainable=not params.frozen, name="dense")(x)
    x = layers.LeakyReLU(slope, name="dense_relu")(x)
    return layers.Dropout(0.5, name="dense_dropout")(x)


VARIANTS: dict[str, Trunk] = {
    "default": han,
    "leaky": partial(han, slope=0.33),
    "two_branch": han_two_branch,
    "multi_resolution": partial(han, channels=3),
}
