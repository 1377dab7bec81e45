"""The architectures, one file each, of which only the chosen one is loaded.

A trunk takes features of clips [shape=(clips, frames, bins, channels)], 0..1, as a Keras tensor, and its parameters.
It gives features [shape=(clips, any)] on which the task's head stands (`tasks`). It names every layer, so that files do
not depend on what was built before. Each file has `VARIANTS`, its trunks by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from instrec.errors import UserError
from instrec.models.architectures import pretrained
from instrec.models.backend import keras
from instrec.models.heads import TASKS
from instrec.params import ModelParams

Trunk = Callable[[Any, ModelParams], Any]


def variants(name: str) -> dict[str, Trunk]:
    """Return the trunks of one architecture, by the name of the variant; no other architecture is loaded."""
    found: dict[str, Trunk] = importlib.import_module(f"{__name__}.{name}").VARIANTS
    return found


def build(shape: tuple[int, int, int], classes: int, task: str, params: ModelParams) -> keras.Model:
    """Build an untrained model for pictures of shape (frames, bins, channels).

    Raises
    ------
    UserError
        Naming the variants there are, or what the architecture asks of its pictures and its parameters.
    """
    known = variants(params.name)
    if params.variant not in known:
        raise UserError(
            "value-unknown",
            "params.yaml: model.variant",
            f"{params.name} has no variant {params.variant!r}; allowed: {', '.join(known)}",
        )
    pretrained.check(params)
    picture = keras.Input(shape, name="picture")
    features = known[params.variant](picture, params)
    name = params.name if params.variant == "default" else f"{params.name}_{params.variant}"
    return keras.Model(picture, TASKS[task].outputs(features, classes), name=name)
