"""A trained model and all that is needed to use it, in one self-contained file."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec import documents, params
from instrec.checking import build
from instrec.errors import UserError
from instrec.files import written_whole

_CARD = "instrec.json"  # a member beside Keras's own
_CHANCE = ("date_saved", "shared_object_id")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip file knows


@dataclass(frozen=True)
class Card:
    """What a model expects and means.

    Attributes
    ----------
    classes : in the order of the presence output.
    clip, spectrogram : how the pictures it was trained on were made.
    thresholds : a probability for each class from which it counts as present; chosen on validation data.
    """

    classes: tuple[str, ...]
    clip: params.ClipParams
    spectrogram: params.SpectrogramParams
    thresholds: tuple[float, ...]


@dataclass(frozen=True)
class Classifier:
    """A Keras model and its card."""

    model: Any
    card: Card

    def predict(self, pictures: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """Give what sounds in pictures of shape (clips, frames, bins, channels).

        Returns
        -------
        presence : np.ndarray [shape=(clips, classes)], probability of each instrument
        count : np.ndarray [shape=(clips, 4)], probability of 0, 1, 2 and 3 instruments; None where the model's task
            is not to count
        """
        outputs = self.model.predict_on_batch(np.asarray(pictures, dtype=np.float32))
        count = outputs.get("count")
        return np.asarray(outputs["presence"], dtype=np.float32), None if count is None else np.asarray(
            count, np.float32
        )


def save(path: Path, model: Any, card: Card) -> None:
    """Write model and card so that the same weights give the same bytes.

    Keras writes the date and addresses in memory into its file; they are taken out, so that an unchanged model is an
    unchanged file to DVC.
    """
    import keras

    # Without the compiled training, which a user has no need of.
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
                    target.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
                target.writestr(
                    zipfile.ZipInfo(_CARD, _EPOCH), json.dumps(asdict(card), indent=1), zipfile.ZIP_DEFLATED
                )
        finally:
            raw.unlink(missing_ok=True)


def _without_chance(tree: Any) -> Any:
    """Leave out what differs from one saving to the next."""
    if isinstance(tree, dict):
        return {key: _without_chance(value) for key, value in tree.items() if key not in _CHANCE}
    return [_without_chance(value) for value in tree] if isinstance(tree, list) else tree


def load(path: Path) -> Classifier:
    """Read a model that `save` wrote.

    Raises
    ------
    UserError
        When the file is missing, damaged, or a Keras model without a card.
    """
    if not path.is_file():
        raise UserError(f"{path}: no model there; train one with `dvc repro`, or name another with --model")
    try:
        with zipfile.ZipFile(path) as file:
            card = _card(
                documents.parse_json(file.read(_CARD), str(path), remedy="train it again with `dvc repro`"), str(path)
            )
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras

        model = keras.models.load_model(path, compile=False)
    except documents.DocumentError:
        raise
    except UserError as error:
        raise UserError(
            f"{path}: made with other knobs than this version of instrec has; train it again with `dvc repro`"
        ) from error
    except Exception as error:  # zip, JSON, HDF5 and Keras each have their own
        raise UserError(
            f"{path}: not a model of instrec's, or damaged ({type(error).__name__}); train it again with `dvc repro`"
        ) from error
    return Classifier(model, card)


def _card(tree: dict[str, Any], where: str) -> Card:
    return Card(
        tuple(tree["classes"]),
        build(params.ClipParams, tree["clip"], where),
        build(params.SpectrogramParams, tree["spectrogram"], where),
        tuple(tree["thresholds"]),
    )
