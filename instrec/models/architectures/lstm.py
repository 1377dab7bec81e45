"""Recurrent networks of one or two LSTM layers, which Yun and Bi compare with LeNet.

Source: Hochreiter and Schmidhuber, Long short-term memory (1997). A frame is a time step, and the bins of all channels
are its features. The head gets the output of the last layer after the last frame (not published; the usual reading).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from instrec.models.architectures import Trunk
from instrec.models.backend import layers
from instrec.params import ModelParams


def lstm(inputs: Any, params: ModelParams, *, units: tuple[int, ...]) -> Any:
    """Build the trunk: one layer for each of `units`; the last one returns the features."""
    _, frames, bins, channels = inputs.shape
    x = layers.Reshape((frames, bins * channels), name="steps")(inputs)
    for number, size in enumerate(units, 1):
        x = layers.LSTM(size, return_sequences=number < len(units), name=f"lstm{number}")(x)
    return x


# Numbers alone would not survive `dvc exp run -S`, which reads 128_64 as 12864.
VARIANTS: dict[str, Trunk] = {
    "units_64": partial(lstm, units=(64,)),
    "units_128": partial(lstm, units=(128,)),
    "units_128_128": partial(lstm, units=(128, 128)),
    "units_128_64": partial(lstm, units=(128, 64)),
}
