"""Recordings: a folder with one sub-folder per class.

    recordings/violin/anna/scale.flac      group: anna
    recordings/violin/caprice take 2.wav   group: caprice

Sub-folders' names are read through `taxonomy.class_named`. A folder within a class's folder names the group:
the player or song, the same in every class. Without one the file's name does, less a number at its end, so
that parts of one recording stay in one split. A name that is nothing but the class and a number, or a number
alone, is a group of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from instrec import taxonomy
from instrec.audio import decoding
from instrec.corpus.index import RECORDINGS, Entry, Excluded, parted, search
from instrec.errors import UserError
from instrec.util.parallel import ordered_map
from instrec.util.progress import tqdm

SHORTEST_SECONDS = 0.1  # less is a click
FAINTEST = 2.0**-15  # one step of 16 bits: what never rises above it is silence

_TAKE = re.compile(r"(^|[ _.-]+)((take|part|clip|chunk|segment)[ _.-]*)?\(?\d+\)?$", re.IGNORECASE)


def scan(root: Path, *, classes: tuple[str, ...], workers: int = 0) -> tuple[list[Entry], list[Excluded]]:
    """Decode every recording of a folder completely, and return an entry for each usable one.

    Parameters
    ----------
    root : holds a sub-folder for each class; each is searched with all its own sub-folders.
    classes : known classes; other folders are left out with their reason.

    Raises
    ------
    UserError
        If the folder does not exist. A broken, silent or very short file is left out with its reason.
    """
    found, excluded = search(root, decoding.SUFFIXES)
    files = []
    refused: Counter[tuple[Path, str]] = Counter()
    for path in found:
        where = root / path.relative_to(root).parts[0]
        if reason := _refused(where, path, classes):
            refused[where, reason] += 1
        else:
            label = str(taxonomy.class_named(where.name))
            files.append(Entry(RECORDINGS, path.as_posix(), 0.0, 0.0, (label,), group_of(path, root)))
    excluded += [
        Excluded(where.as_posix(), f"{count} files: {reason}" if count > 1 else reason)
        for (where, reason), count in refused.items()
    ]
    checked = ordered_map(measured, files, workers=workers)
    entries, unusable = parted(tqdm(checked, total=len(files), desc="recordings", unit="file", disable=not files))
    return entries, excluded + unusable


def _refused(where: Path, path: Path, classes: tuple[str, ...]) -> str:
    """Return why a file or folder cannot be used; empty if it can."""
    if where == path:
        return "lies in no class's folder; move it into one"
    name = taxonomy.class_named(where.name)
    if name is None:
        return f"the folder's name is no class; known: {', '.join(taxonomy.INSTRUMENTS)}"
    return "" if name in classes else f"class {name} is not among `classes` in params.yaml"


def measured(entry: Entry) -> Entry | Excluded:
    """Decode a whole file; return its entry with its duration, or the reason why it cannot be used."""
    path = Path(entry.path)
    try:
        seconds, peak = decoding.length_and_peak(path)
    except UserError as error:
        return Excluded(entry.path, str(error).removeprefix(f"{path}: "))
    if seconds < SHORTEST_SECONDS:
        return Excluded(entry.path, f"too short: {seconds:.5f} s; at least {SHORTEST_SECONDS} s are needed")
    if peak <= FAINTEST:
        return Excluded(entry.path, "silent from beginning to end")
    return replace(entry, duration=round(seconds, 6))


def group_of(path: Path, root: Path) -> str:
    """Return the player or song that a file in a class's folder under `root` belongs to; see this module's head."""
    folder, *inner, _ = path.relative_to(root).parts
    if inner:
        return inner[0]
    song = _TAKE.sub("", path.stem)
    # `violin_07` and `07` number recordings, not the parts of one.
    return song if song and not taxonomy.class_named(song) else f"{folder}/{path.stem}"
