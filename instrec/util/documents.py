"""YAML and JSON files, read with limits: the only place in the project that parses either."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from instrec.errors import UserError

# The largest files in use: an index of mirdata has 4 MB of JSON; params, recipes and dvc.lock have 20 kB of YAML.
LARGEST_YAML_BYTES = 4_000_000
LARGEST_JSON_BYTES = 64_000_000
MOST_NODES = 100_000  # of YAML: each takes a kilobyte while it is parsed
DEEPEST = 50  # levels; the deepest file in use has 7
LARGEST_BITS = 64  # of a whole number
_SHOWN = 60  # characters of a value in a message
_TOO_DEEP = f"nested more than {DEEPEST} levels deep"
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can escape one alone; no encoding can write it

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, but may be missing


class DocumentError(UserError):
    """A file that cannot be read as YAML or JSON, as opposed to one that holds the wrong values."""


class _Refused(Exception):
    """What a document holds that no file of the project needs."""


class _Strict(_Loader):  # type: ignore[misc]
    """Name what PyYAML accepts or fails on: a repeated key, an integer of many digits."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):  # PyYAML keeps the last
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = next(index for index, key in enumerate(keys) if key in keys[:index])
            raise _Refused(f"{_line(node.value[twice][0])}: {_short(keys[twice])} is there twice; remove one")
        return mapping

    def construct_whole(self, node: Any) -> int:
        value = int(self.construct_yaml_int(node)) if len(node.value) <= LARGEST_BITS + 2 else None
        if value is None or value.bit_length() > LARGEST_BITS:
            raise _Refused(f"{_line(node)}: {_short(node.value)} is a larger number than {LARGEST_BITS} bits hold")
        return value


_Strict.add_constructor("tag:yaml.org,2002:int", _Strict.construct_whole)


def load_yaml(path: Path, *, remedy: str = "") -> Any:
    """Read a YAML file.

    Parameters
    ----------
    remedy : what the user can do besides mending the file; ends the message.

    Raises
    ------
    UserError
        If the file is missing, too large or not UTF-8, or holds what `parse_yaml` refuses.
    """
    return parse_yaml(_bytes(path, LARGEST_YAML_BYTES, remedy), str(path), remedy=remedy)


def load_json(path: Path, *, remedy: str = "") -> Any:
    """Read a JSON file; see `load_yaml`."""
    return parse_json(_bytes(path, LARGEST_JSON_BYTES, remedy), str(path), remedy=remedy)


def parse_yaml(content: bytes, where: str, *, remedy: str = "") -> Any:
    """Read YAML: plain values, lists and mappings, without anchors, aliases and tags.

    Parameters
    ----------
    where : the name of the file, for errors.

    Raises
    ------
    UserError
        Naming the line and what is refused there: a syntax error, a key that is there twice, an anchor, alias or tag,
        more than `MOST_NODES` values, `DEEPEST` levels or `LARGEST_BITS` bits.
    """
    try:
        text = _text(content, LARGEST_YAML_BYTES)
        _check_events(yaml.parse(text, Loader=_Loader))
        return yaml.load(text, Loader=_Strict)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise _unreadable(where, f"{line}{error.problem or error.context}", remedy) from error
    except (_Refused, yaml.YAMLError, ValueError, OverflowError) as error:  # a date of month 13, 5,000 digits
        raise _unreadable(where, error, remedy) from error


def parse_json(content: bytes, where: str, *, remedy: str = "") -> Any:
    """Read JSON as its standard has it, without NaN and Infinity.

    Raises
    ------
    UserError
        Naming the line and what is refused there; see `parse_yaml`.
    """
    try:
        text = _text(content, LARGEST_JSON_BYTES)
        tree = json.loads(
            text, object_pairs_hook=_unique, parse_int=_whole, parse_float=_finite, parse_constant=_refuse
        )
        return _checked(tree)
    except RecursionError:
        raise _unreadable(where, _TOO_DEEP, remedy) from None
    except json.JSONDecodeError as error:
        raise _unreadable(where, f"line {error.lineno}: not JSON: {error.msg}", remedy) from error
    except _Refused as error:
        raise _unreadable(where, error, remedy) from error


@contextmanager
def expected(where: Path | str, remedy: str) -> Iterator[None]:
    """Read the values of a document in a block; a missing key or a value of another type is an error of the file.

    Raises
    ------
    UserError
        Instead of the KeyError, TypeError or ValueError of the block.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UserError("document-unreadable", where, f"cannot be read ({what}); {remedy}") from error


def _bytes(path: Path, largest: int, remedy: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise _Refused("is a folder or a device; a file belongs there")
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise _unreadable(str(path), error.strerror or error, remedy) from error
    except (_Refused, ValueError) as error:  # a name that the operating system cannot hold
        raise _unreadable(str(path), error, remedy) from error


def _text(content: bytes, largest: int) -> str:
    if len(content) > largest:
        raise _Refused(f"larger than {largest // 1_000_000} MB")
    try:
        return content.decode("utf-8-sig")  # Windows's editors put a byte order mark first
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Refused(f"line {line}: not UTF-8; save it in this encoding") from error


def _check_events(events: Iterable[Any]) -> None:
    """Refuse what would take much memory or time to build; the events themselves take little."""
    depth = 0
    for count, event in enumerate(events):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refused(f"{_line(event)}: anchors and aliases are not allowed; write the value out")
        if getattr(event, "tag", None):
            raise _Refused(f"{_line(event)}: the tag {_short(event.tag)} is not allowed; leave it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _Refused(f"{_line(event)}: {_TOO_DEEP}")
        if count > MOST_NODES:
            raise _Refused(f"{_line(event)}: more than {MOST_NODES} values")


def _line(place: Any) -> str:
    return f"line {place.start_mark.line + 1}"


def _checked(tree: Any) -> Any:
    """Refuse what later code could not walk through or print, without recursion."""
    waiting = [(tree, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise _Refused(_TOO_DEEP)
        if isinstance(value, dict):
            waiting += ((each, depth + 1) for pair in value.items() for each in pair)
        elif isinstance(value, list):
            waiting += ((each, depth + 1) for each in value)
        elif isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            raise _Refused(f"{_short(value)} is half a character")
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise _Refused(f"{_short(twice)} is there twice; remove one")
    return tree


def _whole(digits: str) -> int:
    if len(digits) > LARGEST_BITS or (value := int(digits)).bit_length() > LARGEST_BITS:
        raise _Refused(f"{_short(digits)} is a larger number than {LARGEST_BITS} bits hold")
    return value


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise _Refused(f"{_short(text)} is too large a number")
    return value


def _refuse(constant: str) -> None:
    raise _Refused(f"{constant} is no number in JSON")


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _unreadable(where: str, reason: object, remedy: str) -> DocumentError:
    why = f"cannot be read: {' '.join(str(reason).split())}{f'; {remedy}' if remedy else ''}"
    return DocumentError("document-unreadable", where, why)
