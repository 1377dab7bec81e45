"""Convolutions of an ONNX file with 8 bits: several times as fast where a processor has units for them.

Activations have the ranges that they have on some clips. Weights have 7 of the 8 bits: with all of them, sums would
overflow on older processors.

Source: Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference
(CVPR 2018).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instrec.errors import UserError
from instrec.export import onnx_file
from instrec.export.front_end import FEATURES, INPUT
from instrec.util.hdf5 import open_store

FloatArray = NDArray[np.float32]

_LEAST_CHANNELS = 8  # of the input; a convolution with fewer is no faster
_MOST_CLIPS = 512
_BATCH = 32
_PERCENTILE = 99.99  # of the activations that a range holds; with all of them, its steps are coarser


def read_clips(path: Path, shape: tuple[int, ...]) -> FloatArray:
    """Return the features of some hundred clips of a store, spread over all of it [shape=(clips, *shape)].

    Raises
    ------
    UserError
        When the store cannot be read, or has other features than the model takes.
    """
    with open_store(path) as store:
        if store.shape != shape:
            raise UserError(
                "features-mismatch",
                f"--int8 {path}",
                f"clips of shape {store.shape}, where the model takes {shape}; name the clips that it was validated on",
            )
        chosen = np.linspace(0, len(store) - 1, min(len(store), _MOST_CLIPS)).astype(int)
        return store.read_rows(chosen).astype(np.float32)


def quantize(path: Path, clips: FloatArray, window: int) -> None:
    """Replace the convolutions of a file that `onnx_file.convert` wrote.

    Parameters
    ----------
    clips : their features set the ranges of activations [shape=(clips, frames, bins, channels)].
    window : samples that the file takes at once.

    Raises
    ------
    ValueError
        When it has none that would be faster.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_static

    graph = onnx.load(path)
    weights = {each.name: each.dims for each in graph.graph.initializer}
    names = [
        node.name
        for node in graph.graph.node
        if node.op_type == "Conv" and weights.get(node.input[1], (0, 0))[1] >= _LEAST_CHANNELS
    ]
    if not names:
        raise ValueError("no convolution that 8 bits make faster")
    (none,) = (each for each in graph.graph.initializer if each.name == FEATURES)
    graph.graph.initializer.remove(none)  # an input with a default would count as a constant
    onnx.save(graph, path)
    with contextlib.redirect_stdout(io.StringIO()):  # it says what it does
        quantize_static(
            path,
            path,
            _Reader(_batches(clips, window)),
            nodes_to_quantize=names,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _PERCENTILE},
        )
    quantized = onnx.load(path)
    quantized.graph.initializer.append(none)
    onnx.helper.set_model_props(quantized, {each.key: each.value for each in graph.metadata_props})
    onnx.checker.check_model(quantized)
    onnx.save(quantized, path)


class _Reader:
    """Batches as onnxruntime asks for them."""

    def __init__(self, batches: Iterator[dict[str, FloatArray]]) -> None:
        self._batches = batches

    def get_next(self) -> dict[str, FloatArray] | None:
        return next(self._batches, None)


def presence(path: Path, clips: FloatArray, window: int) -> FloatArray:
    """Return what the file makes of clips [shape=(clips, classes)]; see `quantize`."""
    opened = onnx_file.session(path)
    return np.concatenate([opened.run(["presence"], batch)[0] for batch in _batches(clips, window)])


def _batches(clips: FloatArray, window: int) -> Iterator[dict[str, FloatArray]]:
    none = np.zeros((0, window), np.float32)
    for start in range(0, len(clips), _BATCH):
        yield {INPUT: none, FEATURES: clips[start : start + _BATCH]}
