"""The manifest: one row per clip, the spine that every later stage walks along.

Any single clip can be rendered again from its row and `params.yaml` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.corpus import index

RECORDING, SCORE = "recording", "score"
CLEAN, NOISY = "clean", "noisy"
TWIN = "-noisy"  # ends the id of a noisy twin

FONTS = " + "  # between the SoundFonts of a clip


@dataclass(frozen=True)
class Clip:
    """One clip of audio, before it exists.

    Attributes
    ----------
    id : unique name; with `seed` it decides every random draw made for the clip. A noisy twin has its original's id and
        `TWIN`, which decides nothing.
    split : `train`, `valid`, or the name of a test set; one audio and one spectrogram file each.
    source : `recording` (cut from a file) or `score` (rendered by FluidSynth).
    path : the recording or MIDI file; empty for a score that is composed from seed and id.
    onset : where the clip starts in the file, in seconds.
    labels : the classes that sound, in the order of `classes` in params.yaml; none for silence. An instrument that is
        none of them comes last, in training and validation alone.
    group : what must not cross splits (song, player; the score itself where it is composed).
    soundfont : file name of the SoundFont that renders a score, or one for each label, joined by `FONTS`; empty for
        recordings.
    noise : `clean` or `noisy`.
    seed : with `id`, decides every draw.
    unknown : the classes that may sound or not, in the same order; all others are absent.
    """

    id: str
    split: str
    source: str
    path: str
    onset: float
    labels: tuple[str, ...]
    group: str
    soundfont: str
    noise: str
    seed: int
    unknown: tuple[str, ...] = ()


def write(path: Path, clips: Iterable[Clip]) -> None:
    """Write clips as CSV, labels as `index.row_of` does."""
    index.write_table(path, index.columns(Clip), map(index.row_of, clips))


def read(path: Path) -> list[Clip]:
    """Read the clips that `write` wrote.

    Raises
    ------
    UserError
        If the file is missing or is not a manifest.
    """
    return index.read_table(path, _clip, "a manifest", stage="balance")


def _clip(row: dict[str, Any]) -> Clip:
    labels, unknown = index.labels_in(row["labels"])
    row |= {"onset": index.seconds_in(row["onset"]), "labels": labels, "seed": int(row["seed"])}
    if row["seed"] < 0:
        raise ValueError(f"{row['id']}: seed {row['seed']} must not be negative")
    return Clip(**row, unknown=unknown)


def with_noisy_twins(clips: Iterable[Clip]) -> list[Clip]:
    """Return clips, and after them the noisy twin of each: the same sound made noisy (Sethi 2018, the noisy set)."""
    originals = list(clips)
    return originals + [replace(clip, id=clip.id + TWIN, noise=NOISY) for clip in originals]


def label_arrays(clips: Sequence[Clip], classes: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return which classes sound in clips, and which are unknown; 0 or 1, both [shape=(clips, classes)]."""
    labels, unknown = (
        np.array([[name in names for name in classes] for names in column], dtype=np.uint8)
        for column in ([clip.labels for clip in clips], [clip.unknown for clip in clips])
    )
    return labels, unknown


def of_split(clips: Iterable[Clip], split: str) -> list[Clip]:
    """Return the clips of one split, in the manifest's order."""
    return [clip for clip in clips if clip.split == split]


def splits(clips: Iterable[Clip]) -> list[str]:
    """Return the names of the splits, in order of first appearance."""
    return list(dict.fromkeys(clip.split for clip in clips))
