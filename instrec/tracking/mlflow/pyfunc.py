"""A registered model as MLflow loads it: it takes a table of sounds, and returns what `instrec predict --json` prints.

MLflow keeps a copy of this package with the model and calls `_load_pyfunc` of the copy. So a version always predicts as
it did when it was registered, whether or not another instrec is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec.errors import UserError
from instrec.inference import model, prediction

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from pandas import DataFrame

REQUIREMENTS = (
    *("av", "filelock", "h5py", "keras", "librosa", "mlflow", "numpy", "pandas"),
    *("pretty_midi", "psutil", "pydantic", "PyYAML", "scipy", "soxr", "tensorflow", "tqdm"),
)
"""The distributions that loading and predicting need."""


class Recognizer:
    """A model behind MLflow's interface."""

    def __init__(self, known: model.Model) -> None:
        self.known = known

    def predict(self, sounds: DataFrame, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Name the instruments of every sound, and when they play.

        Parameters
        ----------
        sounds : one row per sound. Either column `file`, the path of audio of any format, or columns `samples`, one
            channel within -1..1, and `sample_rate`, in Hz, a whole number.
        params : `hop`, in seconds, and `threshold`, as the options of `instrec predict`; None for the model's own.

        Raises
        ------
        UserError
            If a row holds no sound, it cannot be read, or a parameter is out of range.
        """
        given = params or {}
        settings = {"hop_seconds": given.get("hop"), "threshold": given.get("threshold")}
        return [self._predict(row, settings) for row in sounds.to_dict("records")]

    def _predict(self, row: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        if row.get("file") and isinstance(row["file"], str):  # a table has NaN where it has none
            return prediction.predict(row["file"], self.known, **settings).to_dict()
        samples, rate = np.asarray(row.get("samples"), np.float32), row.get("sample_rate") or 0
        if not samples.size or samples.ndim != 1 or rate <= 0:
            raise UserError(
                "audio-missing",
                "",
                "a row holds no sound; give `file`, or `samples` of one channel and their `sample_rate`",
            )
        return prediction.predict(samples, self.known, sample_rate=rate, **settings).to_dict() | {"file": None}


def _load_pyfunc(path: str) -> Recognizer:
    return Recognizer(model.load(path))


def signature() -> ModelSignature:
    """Describe the input and output of `Recognizer.predict` in MLflow's types."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema

    times = Array(Array(DataType.double))
    instrument = Object(
        [Property("name", DataType.string), Property("probability", DataType.double), Property("segments", times)]
    )
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, "file", required=False),
                ColSpec(Array(DataType.double), "samples", required=False),
                ColSpec(DataType.long, "sample_rate", required=False),
            ]
        ),
        outputs=Schema(
            [
                ColSpec(DataType.string, "file", required=False),
                ColSpec(DataType.double, "duration_seconds"),
                ColSpec(DataType.boolean, "complete"),
                ColSpec(Array(instrument), "instruments"),
            ]
        ),
        params=ParamSchema([ParamSpec(name, DataType.double, None) for name in ("hop", "threshold")]),
    )


def example() -> DataFrame:
    """Return a second of a tone with overtones as input of `Recognizer.predict`."""
    from pandas import DataFrame

    rate = 8000
    seconds = np.arange(rate) / rate
    tone = sum(np.sin(2 * np.pi * 440 * number * seconds) / number for number in (1, 2, 3, 4))
    return DataFrame([{"samples": (0.3 * np.exp(-2 * seconds) * tone).round(4).tolist(), "sample_rate": rate}])
