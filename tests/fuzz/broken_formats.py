"""Readers with a fault each, which the harness must find."""

import os
import time
from pathlib import Path
from random import Random

from instrec.errors import UserError
from tests.fuzz import mutations
from tests.fuzz.harness import Format


def _hung(path: Path) -> None:
    time.sleep(3600)


def _busy(path: Path) -> None:
    while True:
        pass


def _hungry(path: Path) -> None:
    kept = bytearray(1)
    while True:
        kept += b"x" * (10 << 20)


def _littering(path: Path) -> None:
    Path("litter").touch()


def _well(path: Path) -> None:
    raise UserError("no-remedy", path, "no")


_READERS = {
    "raises": lambda path: dict[str, str]()["nothing"],
    "crashes": lambda path: os.abort(),
    "hangs": _hung,
    "works forever": _busy,
    "eats memory": _hungry,
    "leaves a file": _littering,
    "tells": _well,
}


def _form(name: str) -> Format:
    def read(path: Path, before: bytes, random: Random) -> None:
        if path.read_bytes() != before:
            _READERS[name](path)

    return Format(1, lambda: {"file": b"whole" * 9}, mutations.binary, read, ())


FORMATS = {name: _form(name) for name in _READERS}
