"""Models as ONNX, for onnxruntime: what they need to know beside the graph is in `metadata_props`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np


def convert(model: Any, path: Path, about: dict[str, Any]) -> None:
    """Write a Keras model with any number of rows; values of `about` that are no text are written as JSON."""
    import keras
    import onnx
    import onnxruntime  # noqa: F401 - the check needs it, and the conversion takes a while
    import tf2onnx  # noqa: F401 - Keras calls it, and tells of its absence at length

    # Named here, or Keras would want the model to have been called.
    inputs = [keras.InputSpec(shape=each.shape, dtype=each.dtype, name=each.name) for each in model.inputs]
    model.export(path, format="onnx", verbose=False, input_signature=inputs)
    graph = onnx.load(path)
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "windows"
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
    onnx.helper.set_model_props(graph, texts)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def probabilities(path: Path, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Run the file on windows [shape=(windows, samples)]; give its outputs by name."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: samples}), strict=True))
