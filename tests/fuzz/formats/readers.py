"""What the formats of documents share: the reader of each file, and the repository's own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[3]
Reader = Callable[[Path], Any]


def by_name(readers: dict[str, Reader]) -> Callable[[Path, bytes, Random], None]:
    def read(path: Path, before: bytes, random: Random) -> None:
        readers[path.as_posix()](path)

    return read


def of_repository(name: str) -> bytes:
    return (ROOT / name).read_bytes()
