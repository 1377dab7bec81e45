"""The architectures, by name, one file each.

A trunk takes a picture [shape=(clips, frames, bins, channels)], 0..1, as a Keras tensor, and its knobs, and gives
features [shape=(clips, any)] on which the task's head stands (`tasks`). It names every layer, so that files do not
depend on what was built before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from instrec.backend import keras
from instrec.models import pretrained
from instrec.models.alexnet import alexnet
from instrec.models.compact_resnet import compact_resnet
from instrec.models.googlenet import googlenet
from instrec.models.han import han, han_two_branch
from instrec.models.inception_resnet_v2 import inception_resnet_v2
from instrec.models.lenet import lenet
from instrec.models.lstm import lstm
from instrec.models.segal import segal
from instrec.models.tasks import TASKS
from instrec.models.vgg19 import vgg19
from instrec.params import ModelParams

TRUNKS: dict[str, Callable[[Any, ModelParams], Any]] = {
    "compact_resnet": compact_resnet,
    "segal_convnet": segal,
    "segal_leaky": partial(segal, slope=0.01),
    "lenet_5x5": partial(lenet, kernel=(5, 5)),
    "lenet_3x8": partial(lenet, kernel=(8, 3)),
    "lstm_64": partial(lstm, units=(64,)),
    "lstm_128": partial(lstm, units=(128,)),
    "lstm_128_128": partial(lstm, units=(128, 128)),
    "lstm_128_64": partial(lstm, units=(128, 64)),
    "inception_resnet_v2": inception_resnet_v2,
    "alexnet": alexnet,
    "vgg19": vgg19,
    "googlenet": googlenet,
    "han_baseline": han,
    "han_leaky": partial(han, slope=0.33),
    "han_two_branch": han_two_branch,
    "han_multi_resolution": partial(han, channels=3),
}


def build(shape: tuple[int, int, int], classes: int, task: str, params: ModelParams) -> keras.Model:
    """Build an untrained model for pictures of shape (frames, bins, channels).

    Raises
    ------
    UserError
        Naming what the architecture asks of its pictures and its knobs.
    """
    pretrained.check(params)
    picture = keras.Input(shape, name="picture")
    features = TRUNKS[params.name](picture, params)
    return keras.Model(picture, TASKS[task].outputs(features, classes), name=params.name)
