"""VGG-19: sixteen 3x3 convolutions, with dense layers on top.

Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition (ICLR 2015), the
convolutions as keras.applications has them. The paper's dense layers are two of 4096 with dropout .5 after each,
`model.dense: [4096, 4096]`: for the pictures of 227x227x3 that Sethi (2018) takes another 119.5 million weights.
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks
from instrec.models.architectures import Trunk, pretrained
from instrec.models.backend import applications, layers
from instrec.params import ModelParams

_MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue


def vgg19(picture: Any, params: ModelParams) -> Any:
    """Build the trunk: the convolutions and, on top, dense layers of `dense` units with dropout.

    Pictures are scaled as Keras scales them for its ImageNet weights. Without weights as well: at 0..1 the signal would
    all but vanish on its way through layers that do not normalize it.
    """
    input_checks.check(picture, params, frames=32, bins=32, channels=3)
    x = layers.Rescaling(255.0, offset=[-mean for mean in _MEAN], name="scale")(picture)
    base = pretrained.base(applications.VGG19, picture.shape[1:], params)
    if params.weights == "imagenet":
        # They are used to blue, green and red: the first convolution is turned round rather than every picture.
        first = next(layer for layer in base.layers if layer.weights)
        kernel, bias = first.get_weights()
        first.set_weights([kernel[:, :, ::-1], bias])
    return pretrained.dense(base(x), params, dropout=0.5)


VARIANTS: dict[str, Trunk] = {"default": vgg19}
