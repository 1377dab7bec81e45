"""Models as ONNX, for onnxruntime: what they need to know beside the graph is in `metadata_props`.

A program that computes the features, as `instrec predict` does once for all windows that overlap, gives them as a
second input. By default that has no rows: ONNX takes an initializer of an input's name as its default.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec.export.front_end import FEATURES, audio_model

if TYPE_CHECKING:
    from instrec.models.classifier import Classifier


def convert(trained: Classifier, path: Path, about: dict[str, Any]) -> None:
    """Write a model with any number of rows; values of `about` that are no text are written as JSON."""
    import keras
    import onnx
    import onnxruntime  # noqa: F401 - the check needs it, and the conversion takes a while
    import tf2onnx  # noqa: F401 - Keras calls it, and reports its absence in many lines

    model = audio_model(trained, also_features=True)
    # Named here, or Keras would want the model to have been called.
    inputs = {each.name: keras.InputSpec(shape=each.shape, dtype=each.dtype, name=each.name) for each in model.inputs}
    model.export(path, format="onnx", verbose=False, input_signature=[inputs])
    graph = onnx.load(path)
    for value in (*graph.graph.input, *graph.graph.output):
        rows = f"{FEATURES}_windows" if value.name == FEATURES else "windows"
        value.type.tensor_type.shape.dim[0].dim_param = rows
    none = np.zeros((0, *inputs[FEATURES].shape[1:]), np.float32)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(none, FEATURES))
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
    onnx.helper.set_model_props(graph, texts)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def session(path: Path) -> Any:
    """Open the file in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of the input that may be left out
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def probabilities(path: Path, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Run the file on windows [shape=(windows, samples)]; give its outputs by name."""
    opened = session(path)
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {opened.get_inputs()[0].name: samples}), strict=True))
