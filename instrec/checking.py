"""From nested mappings to frozen dataclasses: every key, type and range checked."""

from __future__ import annotations

import difflib
import math
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from instrec import taxonomy
from instrec.errors import UserError

Section = TypeVar("Section")


def build(section: type[Section], tree: Any, where: str, *, joint: str = ".") -> Section:
    """Make a dataclass from a mapping, checking every key, type and range.

    Parameters
    ----------
    where, joint : what stands before a key's name in errors.

    Raises
    ------
    UserError
        Naming the key that is unknown, missing, of another kind or out of range.
    """
    if not isinstance(tree, dict):
        raise UserError(f"{where}: expected a mapping of keys to values, found {tree!r}")
    hints = get_type_hints(section)
    for key in tree:
        if key not in hints:
            close = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(hints)}"
            raise UserError(f"{where}{joint}{key}: unknown key; {hint}")
    values = {}
    for field in fields(section):  # type: ignore[arg-type]
        name = f"{where}{joint}{field.name}"
        if field.name not in tree:
            raise UserError(f"{name}: missing; params.yaml in the repository shows a value for it")
        values[field.name] = _value(hints[field.name], tree[field.name], name)
    return section(**values)


def _value(kind: Any, value: Any, name: str) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        return build(kind, value, name)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise UserError(f"{name}: expected one of {', '.join(get_args(kind))}, found {value!r}")
        return value
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], value, name)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{name}: expected {kind.__name__}, found {value!r}")
    if kind in (int, float):
        _check_range(value, name)
    return value


def _list(kind: Any, value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        raise UserError(f"{name}: expected a list of {'names' if kind is str else 'whole numbers'}, found {value!r}")
    if not value and not name.endswith(_MAY_BE_EMPTY):
        raise UserError(f"{name}: expected at least one {'name' if kind is str else 'number'}")
    if kind is int:
        for item in value:
            if item <= 0:
                raise UserError(f"{name}: {item} must be above 0")
    return taxonomy.require(tuple(value)) if name.endswith("classes") else tuple(value)


_MAY_BE_EMPTY = ("soundfonts.valid", "sources.train", "sources.test")

_MAX_SEED = 2**32 - 1  # what Keras takes
_MAX_COUNT = 2**31 - 1  # what NumPy and HDF5 count with everywhere

# Ranges by the last word of a key; every other number must not be negative.
_POSITIVE = (
    "seconds",
    "window",
    "hop",
    "mels",
    "epochs",
    "batch_size",
    "learning_rate",
    "max_hz",
    "floor_db",
    "width",
    "patience",
    "bootstrap_rounds",
)


def _check_range(value: float, name: str) -> None:
    key = name.replace(": ", ".").rsplit(".", 1)[-1]
    if not math.isfinite(value):
        raise UserError(f"{name}: {value} is not a finite number")
    if key == "sample_rate" and not 8000 <= value <= 96000:
        raise UserError(f"{name}: {value} is outside 8000..96000, what FluidSynth renders")
    largest = _MAX_SEED if key == "seed" else _MAX_COUNT
    if isinstance(value, int) and value > largest:
        raise UserError(f"{name}: {value} is above {largest}, the largest allowed")
    if key.endswith(("_probability", "_share")) or key in ("label_smoothing", "momentum"):
        if not 0 <= value <= 1:
            raise UserError(f"{name}: {value} is outside 0..1")
        if key.endswith("hop_share") and not value:
            raise UserError(f"{name}: must be above 0, or clips would never come to an end")
    elif key in _POSITIVE:
        if not value > 0:
            raise UserError(f"{name}: {value} must be above 0")
    elif not key.endswith(("_db", "_dbfs")) and value < 0:
        raise UserError(f"{name}: {value} must not be negative")
