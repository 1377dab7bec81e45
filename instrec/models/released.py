"""The default model of commands: the one trained here, or else the released one."""

from __future__ import annotations

import sys
from pathlib import Path

from instrec.errors import UserError

TRAINED = Path("models/classifier.keras")
RELEASED = Path("released/classifier.keras")
FACTS = Path("released/classifier.json")
"""What is known of the released model, written when it was released."""


def choose(model: Path | None) -> Path:
    """Return the model named, or else the one that is there, and say so where that is the released one.

    Raises
    ------
    UserError
        If none is named and none is there.
    """
    chosen = model or present()
    if chosen is None:
        raise UserError(
            "model-missing",
            "",
            f"no model: neither {TRAINED} nor {RELEASED} is there; in the project's folder `dvc pull {RELEASED}` brings"
            " the released one and `dvc repro` trains one; --model names another",
        )
    if model is None and chosen == RELEASED:
        print(f"{TRAINED} is not there; this is the released model, {RELEASED}", file=sys.stderr)
    return chosen


def present() -> Path | None:
    """Return the model trained here, or else the released one, if either is there."""
    return next((path for path in (TRAINED, RELEASED) if path.is_file()), None)
