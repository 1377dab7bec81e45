"""Types of parameters, with their ranges, and the check of a mapping against a dataclass made of them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from instrec import taxonomy
from instrec.errors import UserError, closest

Made = TypeVar("Made")
_adapter = cache(TypeAdapter)

# Strict types refuse text for a number.
_LARGEST = 2**31 - 1
Count = Annotated[int, Strict(), Field(ge=0, le=_LARGEST)]
PositiveCount = Annotated[int, Strict(), Field(gt=0, le=_LARGEST)]
Seed = Annotated[int, Strict(), Field(ge=0, lt=2**32)]  # what Keras takes
SampleRate = Annotated[int, Strict(), Field(ge=8000, le=96000)]  # what FluidSynth renders
Finite = Annotated[float, Strict(), Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
HopShare = Annotated[float, Strict(), Field(gt=0, le=1, allow_inf_nan=False)]  # at 0, clips would never come to an end
Names = tuple[str, ...]
SomeNames = Annotated[tuple[str, ...], Field(min_length=1)]
Sizes = Annotated[tuple[PositiveCount, ...], Field(min_length=1)]
MixtureCounts = Annotated[tuple[Annotated[int, Strict(), Field(ge=0, le=8)], ...], Field(min_length=1)]
Part = Literal[
    "whole",
    "harmonic",
    "percussive",
    "harmonic_percussive",
    "solo",
    "accompaniment",
    "solo_accompaniment",
    "harmonic_of_file",
    "percussive_of_file",
    "solo_of_file",
    "accompaniment_of_file",
    "harmonic_percussive_of_file",
    "solo_accompaniment_of_file",
]
Architecture = Literal[
    "compact_resnet",
    "segal",
    "lenet",
    "lstm",
    "inception_resnet_v2",
    "inception_v4",
    "alexnet",
    "vgg19",
    "googlenet",
    "han",
    "efficient_at",
]
Classes = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(taxonomy.require)]


class Section:
    """Base of the dataclasses that `build` makes: it allows no unknown key."""

    __pydantic_config__ = ConfigDict(extra="forbid")


def build(section: type[Made], tree: Any, where: str, *, joint: str = ".") -> Made:
    """Make a dataclass from a mapping, checking every key, type and range.

    Parameters
    ----------
    where, joint : prefix of a key's name in errors.

    Raises
    ------
    UserError
        Naming the key that is unknown, missing, of another kind or out of range.
    """
    try:
        made: Made = _adapter(section).validate_python(tree)  # type: ignore[arg-type]
    except ValidationError as error:
        # A mistyped key is also a missing one; its own name says more.
        errors = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "unexpected_keyword_argument")
        raise _refusal(section, errors[0], where, joint) from error
    return made


def _refusal(section: type[Any], error: Mapping[str, Any], where: str, joint: str) -> UserError:
    keys = [str(key) for key in error["loc"] if not isinstance(key, int)]  # of a list, the whole is named
    name = where + (joint + ".".join(keys) if keys else "")
    kind, found = error["type"], reprlib.repr(error["input"])
    if kind == "unexpected_keyword_argument":
        known = _fields(section, keys[:-1])
        hint = closest(keys[-1], known, f"allowed: {', '.join(known)}")
        return UserError("key-unknown", name, f"unknown key; {hint}")
    if kind == "missing":
        return UserError("key-missing", name, "missing; params.yaml in the repository shows a value for it")
    if kind == "dataclass_type":
        return UserError("not-a-mapping", name, f"expected a mapping of keys to values, found {found}")
    reason = f"{error['msg'].replace('Input should be', 'expected')}, found {found}"
    return UserError("value-invalid", name, reason)


def _fields(section: type[Any], keys: Sequence[str]) -> list[str]:
    for key in keys:
        section = get_type_hints(section)[key] if is_dataclass(section) else get_args(section)[1]  # of a mapping
        section = get_args(section)[0] if get_origin(section) is tuple else section
    return list(get_type_hints(section))
