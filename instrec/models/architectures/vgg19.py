"""VGG-19: sixteen 3x3 convolutions, then dense layers.

Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition (ICLR 2015), with the
convolutions of keras.applications. The paper has two dense layers of 4096 with dropout .5 after each,
`model.dense: [4096, 4096]` and `model.dropout: 0.5`. For the images of 227x227x3 in Sethi (2018), these are another
119.5 million weights.
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks, pretrained
from instrec.models.architectures import Trunk
from instrec.models.backend import applications, layers
from instrec.params import ModelParams

_MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue


def vgg19(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: the convolutions, then dense layers of `dense` units.

    Images are scaled as for Keras's ImageNet weights. This is also necessary without weights: from 0..1, the signal
    would almost vanish in layers without normalization.
    """
    input_checks.check(inputs, params, frames=32, bins=32, channels=3)
    x = layers.Rescaling(255.0, offset=[-mean for mean in _MEAN], name="scale")(inputs)
    base = pretrained.base(applications.VGG19, inputs.shape[1:], params)
    if params.weights == "imagenet":
        # The weights expect blue, green and red: the first convolution is reversed, and not every image.
        first = next(layer for layer in base.layers if layer.weights)
        kernel, bias = first.get_weights()
        first.set_weights([kernel[:, :, ::-1], bias])
    return pretrained.dense(base(x), params)


VARIANTS: dict[str, Trunk] = {"default": vgg19}
