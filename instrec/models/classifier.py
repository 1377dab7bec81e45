"""A trained model and everything to use it, in one self-contained file."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.models import model_file
from instrec.models.model_file import CARD, Card, Damaged
from instrec.util.files import temporary_files, written_whole

__all__ = ["Card", "Classifier", "load", "save"]

_CHANCE = ("date_saved", "shared_object_id")


@dataclass(frozen=True)
class Classifier:
    """A Keras model and its card."""

    model: Any
    card: Card

    def predict(self, features: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """Predict features of shape (clips, frames, bins, channels).

        Returns
        -------
        presence : np.ndarray [shape=(clips, classes)], probability of each instrument
        count : np.ndarray [shape=(clips, 4)], probability of 0, 1, 2, and 3 or more instruments; None if the model does
            not count

        Raises
        ------
        UserError
            If the features have another shape than the input of the model.
        """
        if features.shape[1:] != self.model.input_shape[1:]:
            raise UserError(
                "features-mismatch",
                "",
                f"the model takes features of shape {self.model.input_shape[1:]}, these have {features.shape[1:]}; "
                "train it again with `dvc repro`",
            )
        outputs = self.model.predict_on_batch(np.asarray(features, dtype=np.float32))
        count = np.asarray(outputs["count"], np.float32) if "count" in outputs else None
        return np.asarray(outputs["presence"], np.float32), count


def save(path: Path, model: Any, card: Card) -> None:
    """Write model and card; the same weights give the same bytes.

    Keras writes the date and memory addresses into its file. They are removed, so that an unchanged model is an
    unchanged file for DVC.
    """
    from instrec.models.backend import keras

    # Without the state of training, which users do not need.
    bare = keras.Model(model.inputs, model.output, name=model.name)
    with written_whole(path) as part:
        raw = part.with_suffix(".raw.keras")
        try:
            bare.save(raw)
            with zipfile.ZipFile(raw) as source, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as target:
                for name in sorted(source.namelist()):
                    content = source.read(name)
                    if name.endswith(".json"):
                        content = json.dumps(_without_chance(json.loads(content)), indent=1).encode()
                    target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # dated 1980
                target.writestr(zipfile.ZipInfo(CARD), json.dumps(asdict(card), indent=1), zipfile.ZIP_DEFLATED)
        finally:
            raw.unlink(missing_ok=True)


def _without_chance(tree: Any) -> Any:
    """Leave out what differs between two files of the same model."""
    if isinstance(tree, dict):
        return {key: _without_chance(value) for key, value in tree.items() if key not in _CHANCE}
    return [_without_chance(value) for value in tree] if isinstance(tree, list) else tree


def load(path: Path) -> Classifier:
    """Read a model that `save` wrote.

    Raises
    ------
    UserError
        If the file is missing, damaged, not a model of instrec, or too large; if its weights have NaN or infinity; if
        the disk for temporary files is full.
    """
    if not path.is_file():
        raise UserError(
            "model-missing", path, "no model there; train one with `dvc repro`, or name another with --model"
        )
    try:
        card, config, stored = model_file.read(path)
        with temporary_files():  # TensorFlow does not even load without
            from instrec.models.backend import keras

            model_file.check_network(config, card, stored)
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        _check_weights(model)
    except UserError as error:
        if error.code == "temporary-folder-full":
            raise
        raise UserError(
            "model-outdated",
            path,
            "made with other parameters than this version of instrec has; train it again with `dvc repro`",
        ) from error
    except Exception as error:  # zip, HDF5 and Keras each have their own
        why = str(error) if isinstance(error, Damaged) else type(error).__name__
        raise UserError(
            "not-a-model", path, f"not a model of instrec's, or damaged ({why}); train it again with `dvc repro`"
        ) from error
    return Classifier(model, card)


def _check_weights(model: Any) -> None:
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise Damaged(f"weights of {weight.path} hold NaN or infinity")
