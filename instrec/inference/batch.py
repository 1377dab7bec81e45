"""Many files: which ones, worked on all at once, their predictions in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from instrec.audio import decoding
from instrec.errors import UserError
from instrec.inference import prediction
from instrec.inference.activations import cores, in_order
from instrec.inference.prediction import Prediction
from instrec.inference.window_classifier import WindowClassifier
from instrec.util.files import below

Result = TypeVar("Result")


@dataclass(frozen=True)
class Sound:
    """A file to listen to, and its name below the folder that was given, or its own where it was named itself."""

    path: Path
    name: Path


def sounds(given: Iterable[Path | str], denied: Callable[[UserError], object]) -> list[Sound]:
    """Return the files that are named, and of folders every audio file in them and below, by its ending.

    Parameters
    ----------
    denied : called with the error of each sub-folder that cannot be read.

    Raises
    ------
    UserError
        If a folder holds none.
    """

    found = []
    for path in map(Path, given):
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises if a name is too long or forbidden
            found.append(Sound(path, Path(path.name)))
            continue
        unread: dict[Path, str] = {}
        every = sorted(below(path, unread.__setitem__))
        inside = [each for each in every if _is_audio(each.relative_to(path)) and not each.is_dir()]
        for folder, reason in unread.items():
            if not _is_hidden(folder.relative_to(path)):
                denied(UserError("file-unreadable", folder, f"{reason}; check its permissions"))
        if not inside:
            raise UserError(
                "folder-empty",
                path,
                f"a folder without audio files; known endings: {' '.join(sorted(decoding.SUFFIXES))}",
            )
        found += [Sound(each, each.relative_to(path)) for each in inside]
    return found


def _is_audio(name: Path) -> bool:
    return name.suffix.lower() in decoding.SUFFIXES and not _is_hidden(name)


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


class _Stopped(Exception):
    pass


def predictions(
    paths: Sequence[Path],
    model: WindowClassifier,
    *,
    hop_seconds: float | None = None,
    threshold: float | None = None,
    track: int | None = None,
    progress: Callable[[float], Any] = lambda seconds: None,
) -> Generator[Prediction | UserError]:
    """Predict the files in their order, as `prediction.predict` does; see `each`."""
    settings: dict[str, Any] = {"hop_seconds": hop_seconds, "threshold": threshold, "track": track}
    return each(paths, partial(prediction.predict, model=model, **settings), progress=progress)


def each(
    paths: Sequence[Path],
    work: Callable[..., Result],
    *,
    progress: Callable[[float], Any] = lambda seconds: None,
) -> Generator[Result | UserError]:
    """Work on files in their order; for one that cannot be read, give the error.

    One thread per core works on them, as decoding, features and the model release Python's lock. At most two files per
    thread are ahead of the reader, which bounds memory. Closed early, it abandons what has begun.

    Parameters
    ----------
    work : takes a file, and `threads` and `progress` as `activations_of` does.
    progress : called by the threads for each block with its length in seconds.
    """
    threads, stop = cores(), threading.Event()

    def told(seconds: float) -> None:
        if stop.is_set():
            raise _Stopped
        progress(seconds)

    def one(path: Path) -> Result | UserError:
        try:
            return work(path, threads=None if len(paths) < threads else 1, progress=told)
        except UserError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from in_order(pool, one, paths, ahead=2 * threads)
        finally:
            stop.set()
