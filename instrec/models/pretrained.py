"""Networks that have pretrained weights on request: those of keras.applications, and which others have some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instrec.errors import UserError, conflict
from instrec.models.backend import layers
from instrec.params import ModelParams

WEIGHTS = {"inception_resnet_v2": "imagenet", "vgg19": "imagenet", "efficient_at": "audioset"}


def check(params: ModelParams) -> None:
    """Check that the architecture has the parameters `model.weights` and `model.frozen`.

    Raises
    ------
    UserError
        If it does not.
    """
    own = WEIGHTS.get(params.name)
    if params.weights not in ("none", own):
        names = " and ".join(name for name, weights in WEIGHTS.items() if weights == params.weights)
        raise conflict("model.weights", f"{params.weights} is for {names} alone, not for {params.name}; set it to none")
    if params.frozen and not own:
        names = ", ".join(WEIGHTS)
        raise conflict("model.frozen", f"true is for {names} alone, not for {params.name}; set it to false")


def base(application: Callable[..., Any], shape: tuple[int, ...], params: ModelParams) -> Any:
    """Return the convolutions of a network of keras.applications as one layer, for images of `shape`.

    If `model.frozen` is set, they do not train, and their batch normalization keeps its statistics.

    Raises
    ------
    UserError
        If ImageNet weights cannot be downloaded.
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
    # Keras numbers layers over all networks built so far; the file of a model must not depend on these.
    for number, layer in enumerate(network.layers):
        layer.name = f"{params.name}_{number}"
    network.trainable = not params.frozen
    return network


def dense(x: Any, params: ModelParams, *, dropout: float = 0.0) -> Any:
    """Add dense layers of `model.dense` units, each followed by dropout, if any."""
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(params.dense):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dense{number}_dropout")(x)
    return x
