"""Recognize musical instruments in audio: which ones sound, and when.

>>> import instrec
>>> prediction = instrec.predict("song.wav")
>>> [each.name for each in prediction.instruments]
['trumpet', 'piano']
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instrec.errors import UserError as InstrecError

if TYPE_CHECKING:
    import numpy as np

    from instrec.inference.model import Model
    from instrec.inference.prediction import Prediction

__all__ = ["InstrecError", "Model", "Prediction", "__version__", "load_model", "predict"]

# onnxruntime reads this when it is loaded. Without it, it sends data on its use to Microsoft, and leaves `.ses` in the
# folder for temporary files and a device's identifier in ~/.cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# What takes time, NumPy first of all, is imported where it is used.
_LAZY = {"Model": "instrec.inference.model", "Prediction": "instrec.inference.prediction"}


def __getattr__(name: str) -> Any:
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("instrec")
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'instrec' has no attribute {name!r}")


def __dir__() -> list[str]:  # for completion, which lazy names would be missing from
    return sorted({*globals(), *__all__})


def predict(
    path_or_array: str | Path | np.ndarray,
    sample_rate: int | None = None,
    *,
    model: Model | str | Path | None = None,
    threshold: float | None = None,
    hop_seconds: float | None = None,
) -> Prediction:
    """Name the instruments of a file or an array, and when they sound.

    Parameters
    ----------
    path_or_array : a file of any format, rate and length; or np.ndarray [shape=(samples,) or (samples, channels)],
        floating point in -1..1 or integers whose range is full scale.
    sample_rate : of an array, in Hz.
    model : from `load_model`, or what it takes; the released model by default.
    threshold : for every class, 0..1, instead of the model's own.
    hop_seconds : from window to window, 0.1 s to a window; a sixth of a window by default.

    Raises
    ------
    InstrecError
        When the sound or the model cannot be read, or a value is out of range.
    """
    from instrec.inference import prediction
    from instrec.inference.window_classifier import WindowClassifier

    known = model if isinstance(model, WindowClassifier) else load_model(model)
    return prediction.predict(
        path_or_array, known, sample_rate=sample_rate, threshold=threshold, hop_seconds=hop_seconds
    )


def load_model(path: str | Path | None = None) -> Model:
    """Read a model once to use it often: what `instrec export` wrote, or a Keras model where Keras is installed.

    Parameters
    ----------
    path : .onnx or .keras, or a name out of `models.released.NAMES`; the released model by default.

    Raises
    ------
    InstrecError
        When the file is missing, damaged, or needs a package that is not installed.
    """
    from instrec.models.released import NAMES, PACKAGED

    if path is None or str(path) in NAMES:
        return _released(str(path or PACKAGED.stem))
    from instrec.inference import model

    return model.load(path)


@cache
def _released(name: str) -> Model:
    from instrec.inference import model
    from instrec.models.released import PACKAGED

    return model.load(PACKAGED.with_stem(name))
