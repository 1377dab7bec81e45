"""The index: every usable file of the user's folders, and what was left out with the reason."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from instrec.errors import UserError
from instrec.util.files import below, written_whole

Made = TypeVar("Made")

RECORDINGS, MIDI = "recordings", "midi"
_USABLE, _EXCLUDED = "index.csv", "excluded.csv"


@dataclass(frozen=True)
class Entry:
    """A file, or a stretch of one, that clips may be made of.

    Attributes
    ----------
    source : `recordings`, `midi`, or the name of a published dataset.
    path : below the folder of params.yaml; a relative folder gives a relative path.
    onset, duration : the stretch, in seconds.
    labels : the classes that sound in it.
    group : the player or song; a group is never in two splits.
    split : `train`, `valid` or `test` where the dataset has a partition of its own; empty to be decided by groups.
    unknown : the classes that may sound in it or not; all others are absent.
    """

    source: str
    path: str
    onset: float
    duration: float
    labels: tuple[str, ...]
    group: str
    split: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excluded:
    """A file or folder, or part of a file, that was left out, and why."""

    path: str
    reason: str


def parted(found: Iterable[Entry | Excluded]) -> tuple[list[Entry], list[Excluded]]:
    """Return what is usable and what is not, each in order."""
    each = list(found)
    return [one for one in each if isinstance(one, Entry)], [one for one in each if isinstance(one, Excluded)]


def write(folder: Path, entries: Iterable[Entry], excluded: Iterable[Excluded]) -> None:
    """Write `index.csv` and `excluded.csv`; without rows, their headers."""
    write_table(folder / _USABLE, columns(Entry), map(row_of, entries))
    write_table(folder / _EXCLUDED, columns(Excluded), map(asdict, excluded))


def is_solo(item: Any) -> bool:
    """Return whether one class sounds in an entry or a clip, and certainly no other."""
    return len(item.labels) == 1 and not item.unknown


def columns(kind: type[Any]) -> list[str]:
    """Return the columns of a table of entries or clips: `labels` holds the unknown ones, too."""
    return [field.name for field in fields(kind) if field.name != "unknown"]


def row_of(item: Any) -> dict[str, object]:
    """Return the row of an entry or a clip: labels joined by a space, the unknown ones with a question mark."""
    row = asdict(item)
    return row | {"labels": " ".join([*row["labels"], *(f"?{name}" for name in row.pop("unknown"))])}


def labels_in(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels and the unknown ones that `row_of` wrote."""
    names = cell.split()
    labels = tuple(name for name in names if not name.startswith("?"))
    return labels, tuple(name.removeprefix("?") for name in names if name.startswith("?"))


def write_table(path: Path, columns: list[str], rows: Iterable[dict[str, object]]) -> None:
    """Write one CSV file whole. What UTF-8 cannot hold of a file's name is escaped."""
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path, made: Callable[[dict[str, Any]], Made], what: str, *, stage: str) -> list[Made]:
    """Read what `made` makes of each row of a CSV file.

    Raises
    ------
    UserError
        Saying that the file is not `what` and which stage writes it, if it is missing, or a row ends early or holds
        something else.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames is None:
                raise ValueError("it is empty")
            rows = list(reader)
            if any(None in row.values() for row in rows):
                raise ValueError("a row ends early")
            return [made(row) for row in rows]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError("table-invalid", path, f"not {what} ({error}); run `dvc repro {stage}`") from error


def read(folder: Path) -> list[Entry]:
    """Read the usable files that `write` wrote.

    Raises
    ------
    UserError
        If `index.csv` is missing or is not an index.
    """
    return read_table(folder / _USABLE, _entry, "an index", stage="download")


def _entry(row: dict[str, Any]) -> Entry:
    labels, unknown = labels_in(row["labels"])
    times = {name: seconds_in(row[name]) for name in ("onset", "duration")}
    # An older index has no splits; the default would hide that.
    return Entry(**row | times | {"labels": labels, "split": row["split"]}, unknown=unknown)


def seconds_in(cell: str) -> float:
    """Return a time; raise ValueError unless it is finite and not negative."""
    if not 0 <= (seconds := float(cell)) < math.inf:  # NaN is neither
        raise ValueError(f"{cell} s must be finite and not negative")
    return seconds


def search(root: Path, suffixes: Collection[str]) -> tuple[list[Path], list[Excluded]]:
    """Find the files under a folder, in order of name, whose names have one of the endings.

    Hidden files and README.md are passed over; folders may be links, the root and those right in it.

    Raises
    ------
    UserError
        If the folder does not exist.
    """
    if not root.is_dir():
        raise UserError(
            "folder-missing", root, "no such folder; make it (it may stay empty), or change `sources` in params.yaml"
        )
    found: list[Path] = []
    excluded: list[Excluded] = []
    for path in below(root, lambda folder, reason: excluded.append(Excluded(folder.as_posix(), reason))):
        inside = path.relative_to(root).parts
        if path.is_dir() or path.name == "README.md" or any(part.startswith(".") for part in inside):
            continue
        if path.suffix.lower() not in suffixes:
            reason = f"name does not end in one of {' '.join(sorted(suffixes))}"
            excluded.append(Excluded(path.as_posix(), reason))
        elif not _is_utf8(path):
            excluded.append(Excluded(path.as_posix(), "name is not UTF-8; rename it"))
        else:
            found.append(path)
    return sorted(found), sorted(excluded, key=lambda each: each.path)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
