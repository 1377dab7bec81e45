"""The architectures, by name.

A builder takes the shape of a picture, the number of classes and its knobs, and gives a Keras model with two outputs:
`presence` (sigmoid, one a class) and `count` (softmax over 0..3 instruments).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instrec.errors import UserError
from instrec.models.compact_resnet import compact_resnet
from instrec.params import ModelParams

COUNTS = 4  # none, one, two or three instruments at once

BUILDERS: dict[str, Callable[[tuple[int, int, int], int, int, ModelParams], Any]] = {
    "compact_resnet": compact_resnet,
}


def build(shape: tuple[int, int, int], classes: int, params: ModelParams) -> Any:
    """Build an untrained model for pictures of shape (frames, bins, channels).

    Raises
    ------
    UserError
        Naming the architectures there are.
    """
    if params.name not in BUILDERS:
        raise UserError(
            f"params.yaml: model.name: unknown architecture {params.name!r}; allowed: {', '.join(BUILDERS)}"
        )
    return BUILDERS[params.name](shape, classes, COUNTS, params)
