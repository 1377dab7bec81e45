"""Networks that have pretrained weights on request: those of keras.applications, and which others have some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from instrec.errors import UserError, conflict
from instrec.models.backend import keras, layers
from instrec.params import ModelParams
from instrec.util import files

WEIGHTS = {"inception_resnet_v2": "imagenet", "vgg19": "imagenet", "efficient_at": "audioset"}
FREEZABLE = (*WEIGHTS, "han")


@dataclass(frozen=True)
class WeightsFile:
    """A file of ImageNet weights without the layer of the classes: its address, and its MD5 in hexadecimal."""

    url: str
    md5: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.url).name


_APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications"
IMAGENET = {  # as keras.applications has them
    "inception_resnet_v2": WeightsFile(
        f"{_APPLICATIONS}/inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
    "vgg19": WeightsFile(
        f"{_APPLICATIONS}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6"
    ),
}


def check(params: ModelParams) -> None:
    """Check that the architecture has the parameters `model.weights`, `model.weights_folder` and `model.frozen`.

    Raises
    ------
    UserError
        If it does not.
    """
    own = WEIGHTS.get(params.name)
    if params.weights not in ("none", own):
        names = " and ".join(name for name, weights in WEIGHTS.items() if weights == params.weights)
        raise conflict("model.weights", f"{params.weights} is for {names} alone, not for {params.name}; set it to none")
    if params.weights_folder and params.weights != "imagenet":
        raise conflict("model.weights_folder", f"is for model.weights: imagenet, not {params.weights}; set it to ''")
    if params.frozen and params.name not in FREEZABLE:
        names = ", ".join(FREEZABLE)
        raise conflict("model.frozen", f"true is for {names} alone, not for {params.name}; set it to false")


def base(application: Callable[..., Any], shape: tuple[int, ...], params: ModelParams) -> Any:
    """Return the convolutions of a network of keras.applications as one layer, for images of `shape`.

    If `model.frozen` is set, they do not train, and their batch normalization keeps its statistics.

    Raises
    ------
    UserError
        If ImageNet weights cannot be downloaded, are not in `model.weights_folder`, or are others.
    """
    weights = None if params.weights == "none" else str(imagenet(params))
    network = application(include_top=False, weights=weights, input_shape=shape, name=params.name)
    # Keras numbers layers over all networks built so far; the file of a model must not depend on these.
    for number, layer in enumerate(network.layers):
        layer.name = f"{params.name}_{number}"
    network.trainable = not params.frozen
    return network


def imagenet(params: ModelParams) -> Path:
    """Return the file of the ImageNet weights: from `model.weights_folder`, or else downloaded once by Keras.

    Either way, it has the checksum of keras.applications.

    Raises
    ------
    UserError
        If there is no such file, it cannot be downloaded, or it has another checksum.
    """
    file = IMAGENET[params.name]
    if not params.weights_folder:
        try:
            return Path(keras.utils.get_file(origin=file.url, file_hash=file.md5, cache_subdir="models"))
        except Exception as error:  # Keras raises bare ones when a download fails
            raise UserError(
                "weights-unavailable",
                "params.yaml: model.weights",
                f"the {params.weights} weights of {params.name} could not be fetched ({error}); copy {file.url} to a "
                "folder and set model.weights_folder to that folder, or set model.weights: none to train from scratch",
            ) from error
    path = Path(params.weights_folder) / file.name
    if not path.is_file():
        raise UserError("weights-unavailable", path, f"no such file; copy it there from {file.url}")
    if (found := files.md5(path)) != file.md5:
        raise UserError("checksum-mismatch", path, f"MD5 {found}, expected {file.md5}; copy it again from {file.url}")
    return path


def dense(x: Any, params: ModelParams) -> Any:
    """Add dense layers of `model.dense` units, each followed by dropout of `model.dropout`, if any."""
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(params.dense):
        x = layers.Dense(units, activation="relu", name=f"dense{number}")(x)
        if params.dropout:
            x = layers.Dropout(params.dropout, name=f"dense{number}_dropout")(x)
    return x
