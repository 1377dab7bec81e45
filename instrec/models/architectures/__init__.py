"""The architectures, one file each; only the chosen one is loaded.

A trunk is a function of a Keras tensor, the features of clips [shape=(clips, frames, bins, channels)], 0..1, and of its
parameters. It returns the input of the head of the task [shape=(clips, any)] (`heads`). It names every layer, so that
files do not depend on earlier models. Each file has `VARIANTS`, its trunks by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from instrec.errors import UserError
from instrec.models import pretrained
from instrec.models.backend import keras
from instrec.models.heads import TASKS
from instrec.params import ModelParams

Trunk = Callable[[Any, ModelParams], Any]


def variants(name: str) -> dict[str, Trunk]:
    """Return the trunks of one architecture by variant, without loading other architectures."""
    found: dict[str, Trunk] = importlib.import_module(f"{__name__}.{name}").VARIANTS
    return found


def build(shape: tuple[int, int, int], classes: int, task: str, params: ModelParams) -> keras.Model:
    """Build an untrained model for features of shape (frames, bins, channels).

    Raises
    ------
    UserError
        If the variant does not exist, or the architecture does not accept its features or parameters.
    """
    known = variants(params.name)
    if params.variant not in known:
        raise UserError(
            "value-unknown",
            "params.yaml: model.variant",
            f"{params.name} has no variant {params.variant!r}; allowed: {', '.join(known)}",
        )
    pretrained.check(params)
    inputs = keras.Input(shape, name="picture")
    features = known[params.variant](inputs, params)
    name = params.name if params.variant == "default" else f"{params.name}_{params.variant}"
    return keras.Model(inputs, TASKS[task].outputs(features, classes), name=name)
