"""The architectures, by name, one file each.

A trunk takes a picture [shape=(clips, frames, bins, channels)], 0..1, as a Keras tensor, and its knobs, and gives
features [shape=(clips, any)] on which the task's head stands (`tasks`). It names every layer, so that files do not
depend on what was built before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from instrec.errors import UserError
from instrec.models.compact_resnet import compact_resnet
from instrec.models.tasks import TASKS
from instrec.params import ModelParams

TRUNKS: dict[str, Callable[[Any, ModelParams], Any]] = {
    "compact_resnet": compact_resnet,
}


def build(shape: tuple[int, int, int], classes: int, task: str, params: ModelParams) -> keras.Model:
    """Build an untrained model for pictures of shape (frames, bins, channels).

    Raises
    ------
    UserError
        Naming the architectures there are, or what the one named asks of its pictures.
    """
    if params.name not in TRUNKS:
        raise UserError(f"params.yaml: model.name: unknown architecture {params.name!r}; allowed: {', '.join(TRUNKS)}")
    picture = keras.Input(shape, name="picture")
    features = TRUNKS[params.name](picture, params)
    return keras.Model(picture, TASKS[task].outputs(features, classes), name=params.name)
