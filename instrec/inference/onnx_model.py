"""A model as `instrec export --format onnx` writes it, on onnxruntime: no Keras, no TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from instrec.errors import UserError
from instrec.inference import front_end
from instrec.inference.window_classifier import FloatArray, WindowClassifier
from instrec.util.files import md5

_QUIET = 3  # onnxruntime warns of inputs that may be left out, as the features may
_MOST = 2**24  # samples in a window, bands times bins: far more than any model that was ever trained has


def load(path: Path) -> WindowClassifier:
    """Read an exported model.

    A file MODEL.md5 beside it has its checksum, as beside the models of the package: zeros in place of weights, which
    a failing disk may leave, are weights, too.

    Raises
    ------
    UserError
        When the file is damaged, or was not written by `instrec export`.
    """
    import onnxruntime

    listed = path.with_suffix(".md5")
    if listed.is_file() and md5(path) not in listed.read_text(encoding="ascii", errors="replace"):
        raise UserError("model-unloadable", path, f"damaged: not what {listed.name} beside it lists; install it again")

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # `activations_of` has threads of its own
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return _model(session, path)
    except UserError:
        raise
    except Exception as error:  # onnxruntime has a dozen of its own, without a common one
        raise UserError(
            "model-unloadable",
            path,
            f"not a model that this version of instrec exported, or damaged ({type(error).__name__}); write it again "
            "with `instrec export --format onnx`",
        ) from error


def _model(session: Any, path: Path) -> WindowClassifier:
    about = {key: session.get_modelmeta().custom_metadata_map[key] for key in _PLAIN}
    about = {key: json.loads(value) for key, value in about.items()}
    classes, thresholds = tuple(map(str, about["classes"])), tuple(map(float, about["thresholds"]))
    rate, window, spectrogram = int(about["sample_rate"]), int(about["window_samples"]), about["spectrogram"]
    sizes = (window, spectrogram["window"] * spectrogram["mels"], window * spectrogram["mels"] // spectrogram["hop"])
    stack = front_end.made(rate, window, spectrogram) if max(sizes) <= _MOST else None
    names = [each.name for each in session.get_outputs()]
    (features,) = session.get_overridable_initializers()
    (samples,) = session.get_inputs()
    if stack is None or len(thresholds) != len(classes) or samples.shape[1] != window:
        raise ValueError("what it says of itself does not agree")
    none = np.zeros((0, window), np.float32)

    def network(spectrograms: FloatArray) -> FloatArray:
        given = dict(zip(names, session.run(names, {samples.name: none, features.name: spectrograms}), strict=True))
        presence: FloatArray = given["presence"]
        if "count" in given:
            presence = presence * (1 - given["count"][:, :1])  # in noise, presence rises more readily
        if presence.shape != (len(spectrograms), len(classes)) or not np.isfinite(presence).all():
            raise UserError(
                "model-unloadable", path, "gives no probabilities; write it again with `instrec export --format onnx`"
            )
        return presence

    silence = np.zeros(window, np.float32)
    network(stack(silence, stack.grid))  # fails if the graph takes other features than it describes
    return WindowClassifier(classes, thresholds, rate, window, stack.grid, stack, network)


_PLAIN = ("classes", "thresholds", "sample_rate", "window_samples", "spectrogram")
