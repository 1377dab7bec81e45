"""A trained model: ONNX on onnxruntime, or Keras where that is installed."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from instrec.errors import UserError
from instrec.inference.streaming import Stream
from instrec.inference.window_classifier import WindowClassifier
from instrec.models.released import NAMES


@dataclass(frozen=True, repr=False)
class Model(WindowClassifier):
    """A model that `load` has read from a file, for sound in files, arrays and streams."""

    def __repr__(self) -> str:
        return f"<Model of {len(self.classes)} classes, {self.window / self.sample_rate:g} s at {self.sample_rate} Hz>"

    def stream(self, sample_rate: int, *, hop_seconds: float | None = None) -> Stream:
        """Return what takes live sound block by block and gives activations as they come.

        Raises
        ------
        UserError
            When the sample rate or the hop is out of range, or the model separates whole files.
        """
        if self.separate is not None:
            raise UserError(
                "model-mismatch",
                "stream",
                "the model knows parts of whole files, spectrogram.part ..._of_file; use instrec.predict on a file",
            )
        return Stream(self, sample_rate, self.hop(hop_seconds))


def load(path: Path | str) -> Model:
    """Read an ONNX file that `instrec export` wrote, or a Keras model that the pipeline trained.

    Raises
    ------
    UserError
        When the file is missing, damaged or no model of instrec's, or it is Keras's and that is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        raise UserError("value-invalid", f"model of type {type(path).__name__}", "allowed are a file and a name")
    path = Path(path)
    if not path.is_file():
        released = ", ".join(NAMES)
        raise UserError(
            "model-missing",
            path,
            f"no model there; train one with `dvc repro`, or name another with --model: a file, or out of {released}",
        )
    try:
        path.open("rb").close()
    except OSError as error:  # which onnxruntime does not tell from damage
        reason = (error.strerror or str(error)).lower()
        raise UserError("file-unreadable", path, f"{reason}; check its permissions") from error
    if path.suffix == ".onnx":
        from instrec.inference import onnx_model

        return Model(**vars(onnx_model.load(path)))
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
    return Model(**vars(keras_model.load(path)))
