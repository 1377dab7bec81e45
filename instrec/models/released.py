"""The models of commands: the one trained here, or else the released one; released ones by their names."""

from __future__ import annotations

import logging
from pathlib import Path

from instrec.errors import UserError

_log = logging.getLogger(__name__)

TRAINED = Path("models/classifier.keras")
VALIDATION = Path("build/spectrograms/valid.h5")
"""Features of the clips on which that one was validated."""
RELEASED = Path("released/classifier.keras")
FACTS = RELEASED.with_suffix(".json")
"""What is known of the released model, written when it was released."""
PACKAGED = Path(__file__).with_name("classifier.onnx")
"""The released model as ONNX, which comes with the package."""
NAMES = tuple(sorted(path.stem for path in PACKAGED.parent.glob("*.onnx")))
"""The released models, of which one is the default: what `--model` and `load_model` take in place of a file."""
FAST = "fast"
"""The name of the default one with convolutions of 8 bits."""


def original(name: str) -> Path:
    """Return the Keras model from which a released one was made."""
    return RELEASED if name == FAST else RELEASED.with_stem(name)


def choose(model: Path | None, released: Path = PACKAGED) -> Path:
    """Return the model named, or else the one trained here, or else the released one.

    In a checkout, it logs that it takes the released one.

    Parameters
    ----------
    model : a file, or one of NAMES.
    released : the released model as the caller needs it.

    Raises
    ------
    UserError
        If none is named and none is there.
    """
    if str(model) in NAMES:
        return original(str(model)) if released == RELEASED else released.with_stem(str(model))
    chosen = model or (TRAINED if TRAINED.is_file() else released)
    if model is None and not chosen.is_file():
        as_onnx = f"; the released one as ONNX is {PACKAGED}" if PACKAGED.is_file() else ""
        raise UserError(
            "model-missing",
            "",
            f"no model: neither {TRAINED} nor {released} is there; in the project's folder `git checkout {RELEASED}`"
            f" brings the released one and `dvc repro` trains one; --model names another{as_onnx}",
        )
    if model is None and chosen == released and Path("dvc.yaml").exists():
        _log.info("%s is not there; the released model is used", TRAINED)
    return chosen
