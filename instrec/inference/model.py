"""A trained model as prediction uses it: ONNX on onnxruntime, or Keras where that is installed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from instrec.errors import UserError
from instrec.models.released import NAMES

if TYPE_CHECKING:
    from instrec.inference.streaming import Stream

FloatArray = NDArray[np.float32]

MIN_HOP_SECONDS = 0.1
HOP_SHARE = 1 / 6  # of a window, from one to the next; from benchmarks/timelines.py


@dataclass(frozen=True)
class Model:
    """What names instruments in windows of sound; `load` reads one from a file.

    Attributes
    ----------
    classes : what it tells apart.
    thresholds : for each class, the activation from which it is detected.
    sample_rate : Hz, of the sound it takes.
    window : length of a window in samples.
    grid : windows so many samples apart, or a multiple, share what is computed of them.
    features : a stretch of sound [shape=(samples,)] and a step in samples -> features of the windows every step.
    network : features -> presence [shape=(windows, classes)], times the probability that any instrument sounds
        where the model counts.
    """

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    sample_rate: int
    window: int
    grid: int
    features: Callable[[FloatArray, int], FloatArray]
    network: Callable[[FloatArray], FloatArray]

    def hop(self, seconds: float | None = None, *, share: float = HOP_SHARE) -> int:
        """Return the hop between windows in samples, on the model's grid; by default, `share` of a window.

        Raises
        ------
        UserError
            When `seconds` is not between 0.1 s and a window.
        """
        longest = self.window / self.sample_rate
        if seconds is None:
            seconds = share * longest
        elif not MIN_HOP_SECONDS <= seconds <= longest:
            raise UserError(
                "value-out-of-range",
                f"hop of {seconds:g} s",
                f"allowed is {MIN_HOP_SECONDS:g} to {longest:g}, a window",
            )
        steps = min(round(seconds * self.sample_rate / self.grid), self.window // self.grid)
        return max(1, steps) * self.grid

    def stream(self, sample_rate: int, *, hop_seconds: float | None = None) -> Stream:
        """Return what takes live sound block by block and gives activations as they come.

        Raises
        ------
        UserError
            When the sample rate or the hop is out of range.
        """
        from instrec.inference.streaming import Stream

        return Stream(self, sample_rate, self.hop(hop_seconds))


def load(path: Path | str) -> Model:
    """Read an ONNX file that `instrec export` wrote, or a Keras model that the pipeline trained.

    Raises
    ------
    UserError
        When the file is missing, damaged or no model of instrec's, or it is Keras's and that is not installed.
    """
    path = Path(path)
    if not path.is_file():
        released = ", ".join(NAMES)
        raise UserError(
            "model-missing",
            path,
            f"no model there; train one with `dvc repro`, or name another with --model: a file, or out of {released}",
        )
    if path.suffix == ".onnx":
        from instrec.inference import onnx_model

        return onnx_model.load(path)
    try:
        from instrec.inference import keras_model
    except ModuleNotFoundError as error:
        if not zipfile.is_zipfile(path):
            raise UserError("not-a-model", path, "neither an ONNX nor a Keras model, or damaged") from error
        raise UserError(
            "package-missing",
            path,
            f"package {error.name} is missing, which Keras models need: pip install 'instrec[pipeline]'; where "
            "that is installed, `instrec export --format onnx` makes a file that needs no more than this",
        ) from error
    return keras_model.load(path)
