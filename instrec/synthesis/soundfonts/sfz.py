"""Reading SFZ: the recorded notes of a sample library, as they sound with its controllers at rest.

The format is described at sfzformat.com. What changes with controllers, effects and filters is left out, and so are the
noises of keys and of released notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from instrec.errors import UserError
from instrec.synthesis.soundfonts.recorded_notes import Region, key_of

_LEVELS = ("global", "master", "group", "region")  # each inherits from those before it
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_INCLUDE = re.compile(r'#include\s+"([^"]*)"')
_DEFINE = re.compile(r"#define\s+(\$\w+)\s+(\S+)")
_TOKEN = re.compile(r"<(\w+)>|([\w$]+)=((?:(?!\s+[\w$]+=|<).)*)")
_CONDITION = re.compile(r"(lo|hi|xfin_lo|xfout_hi)(?:hd)?cc(\d+)")
_DEEPEST = 8  # includes within includes

_Opcodes = Mapping[str, str]


def regions(path: Path, controllers: Mapping[int, int]) -> list[Region]:
    """Return the regions of an SFZ file that a key sounds while its controllers are at rest.

    Parameters
    ----------
    controllers : MIDI controller -> its value, in place of the file's own.

    Raises
    ------
    UserError
        If it cannot be read, or a value in it is none.
    """
    try:
        found = list(_headers(_text(path, path.parent)))
        control = {name: value for kind, opcodes in found if kind == "control" for name, value in opcodes.items()}
        at_rest = {**_at_rest(control), **controllers}
        sounding = [each for each in _inherited(found) if _sounds(each, at_rest)]
        return [_region(path.parent, control, each) for each in sounding]
    except (OSError, ValueError, RecursionError) as error:
        code = "file-unreadable" if isinstance(error, OSError) else "file-damaged"
        raise UserError(code, path, f"not an SFZ file that can be read: {error}; mend it") from error


def _text(path: Path, folder: Path, depth: int = 0) -> str:
    """Return a file's text without comments, with what it includes and what it defines put in."""
    if depth > _DEEPEST:
        raise ValueError(f"includes go deeper than {_DEEPEST}")
    text = _COMMENT.sub("", path.read_text(encoding="utf-8", errors="replace"))
    text = _INCLUDE.sub(lambda found: "\n" + _text(folder / _portable(found[1]), folder, depth + 1) + "\n", text)
    for name, value in sorted(_DEFINE.findall(text), key=lambda pair: -len(pair[0])) if depth == 0 else ():
        text = text.replace(name, value)
    return text


def _portable(path: str) -> str:
    return path.strip().replace("\\", "/")


def _headers(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return each header and the opcodes that follow it."""
    kind, opcodes = "", dict[str, str]()
    for header, name, value in _TOKEN.findall(text):
        if header:
            yield kind, opcodes
            kind, opcodes = header, {}
        else:
            opcodes[name] = value.strip()
    yield kind, opcodes


def _inherited(headers: list[tuple[str, dict[str, str]]]) -> Iterator[_Opcodes]:
    """Return the opcodes of each region, with those of the group, master and global header it stands under."""
    levels: dict[str, dict[str, str]] = {}
    for kind, opcodes in headers:
        if kind in _LEVELS:
            above = _LEVELS[: _LEVELS.index(kind)]
            levels = {level: levels[level] for level in above if level in levels} | {kind: opcodes}
            if kind == "region":
                yield {name: value for level in levels.values() for name, value in level.items()}


def _at_rest(control: _Opcodes) -> dict[int, int]:
    values = {int(name[6:]): int(value) for name, value in control.items() if re.fullmatch(r"set_cc\d+", name)}
    fine = {name[8:]: float(value) for name, value in control.items() if re.fullmatch(r"set_hdcc\d+", name)}
    return values | {int(number): round(127 * value) for number, value in fine.items()}


def _sounds(region: _Opcodes, at_rest: Mapping[int, int]) -> bool:
    """Return whether a key sounds a region: not its release, not another articulation, not a silent microphone."""
    if region.get("trigger", "attack") != "attack" or region.get("sample", "*").startswith("*"):
        return False
    if region.get("sw_last", region.get("sw_default")) != region.get("sw_default"):
        return False
    for name, text in region.items():
        if name.startswith(("on_locc", "on_hicc")):
            return False
        if condition := _CONDITION.fullmatch(name):
            value, limit = at_rest.get(int(condition[2]), 0), float(text)
            low = condition[1].endswith("lo")
            beyond = value < limit if low else value > limit
            if beyond or (condition[1].startswith("xf") and value == limit):
                return False
    return True


def _region(folder: Path, control: _Opcodes, opcodes: _Opcodes) -> Region:
    key = opcodes.get("key", "60")
    low, high, center = (opcodes.get(name, key) for name in ("lokey", "hikey", "pitch_keycenter"))
    if "key" not in opcodes:
        low, high = opcodes.get("lokey", "0"), opcodes.get("hikey", "127")
    loop = None
    if opcodes.get("loop_mode", "").startswith("loop_") and "loop_end" in opcodes:
        loop = (int(opcodes.get("loop_start", 0)), int(opcodes["loop_end"]) + 1)
    return Region(
        folder / _portable(control.get("default_path", "") + opcodes["sample"]),
        key=key_of(center) - float(opcodes.get("tune", 0)) / 100 - float(opcodes.get("transpose", 0)),
        keys=(round(key_of(low)), round(key_of(high))),
        velocities=(int(opcodes.get("lovel", 0)), int(opcodes.get("hivel", 127))),
        gain_db=float(opcodes.get("volume", 0)),
        loop=loop,
    )
