"""Inception-ResNet-v2 on a spectrogram rendered as an image, with dense layers on top.

Source: Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the impact of residual connections on
learning (AAAI 2017), from keras.applications. For transfer learning, it has frozen ImageNet weights, images of
150x150x3 as input and 3x3x1536 features as output; dense layers of 512, or of 1024 and 512 units follow (activation not
published; ReLU here).
"""

from __future__ import annotations

from typing import Any

from instrec.models import input_checks, pretrained
from instrec.models.architectures import Trunk
from instrec.models.backend import applications, layers
from instrec.params import ModelParams


def inception_resnet_v2(inputs: Any, params: ModelParams) -> Any:
    """Build the trunk: the convolutions, then dense layers of `dense` units."""
    input_checks.check(inputs, params, frames=75, bins=75, channels=3)
    x = layers.Rescaling(2.0, offset=-1.0, name="scale")(inputs)  # to -1..1, as for its ImageNet weights
    x = pretrained.base(applications.InceptionResNetV2, inputs.shape[1:], params)(x)
    return pretrained.dense(x, params)


VARIANTS: dict[str, Trunk] = {"default": inception_resnet_v2}
