"""The networks that keras.applications has, with ImageNet weights where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instrec.errors import UserError, conflict
from instrec.models.backend import layers
from instrec.params import ModelParams

NAMES = ("inception_resnet_v2", "vgg19")


def check(params: ModelParams) -> None:
    """Keep `model.weights` and `model.frozen` to the architectures that have them.

    Raises
    ------
    UserError
        Naming those that have.
    """
    for knob, value, off in (("weights", params.weights, "none"), ("frozen", params.frozen, False)):
        if value != off and params.name not in NAMES:
            raise conflict(
                f"model.{knob}",
                f"{str(value).lower()} is for {' and '.join(NAMES)} alone, not for "
                f"{params.name}; set it to {str(off).lower()}",
            )


def base(application: Callable[..., Any], shape: tuple[int, ...], params: ModelParams) -> Any:
    """Return the convolutions of a network of keras.applications, as one layer, for pictures of `shape`.

    Where `model.frozen` is set they do not learn, and their batch normalization goes by the statistics it came with,
    also in training.

    Raises
    ------
    UserError
        When ImageNet weights are asked for and cannot be fetched.
    """
    weights = None if params.weights == "none" else params.weights
    try:
        network = application(include_top=False, weights=weights, input_shape=shape, name=params.name)
    except Exception as error:  # Keras raises bare ones when a download fails
        if weights is None:
            raise
        raise UserError(
            "weights-unavailable",
            "params.yaml: model.weights",
            f"the {weights} weights of {params.name} could not be fetched ({error}); try "
            "again with a network, or set model.weights: none to train from scratch",
        ) from error
    # Keras counts layers over all networks built so far; a model's file must not depend on those.
    for number, layer in enumerate(network.layers):
        layer.name = f"{params.name}_{number}"
    network.trainable = not params.frozen
    return network


def dense(x: Any, params: ModelParams, *, dropout: float = 0.0) -> Any:
    """Stand dense layers of `model.dense` units on top, each followed by dropout where there is any."""
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(params.dense):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dense{number}_dropout")(x)
    return x
