"""The user's own MIDI files, cut into windows whose labels are the programs that sound in them."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from instrec.corpus.index import MIDI, Entry, Excluded, search
from instrec.errors import UserError
from instrec.scores.library import pretty_midi
from instrec.scores.midi import audible_span, load
from instrec.taxonomy import CLASS_OF_PROGRAM
from instrec.util.parallel import ordered_map
from instrec.util.progress import tqdm

SUFFIXES = frozenset({".mid", ".midi", ".kar", ".smf", ".rmi"})
MOST_CLASSES = 3  # a clip has 0 to 3 instruments


def scan(
    root: Path, *, seconds: float, classes: tuple[str, ...], workers: int = 0
) -> tuple[list[Entry], list[Excluded]]:
    """Cut every MIDI file of a folder into windows: one entry per window, one group per file.

    Parameters
    ----------
    root : searched with all its sub-folders.
    seconds : length of a window; windows follow one another.
    classes : the known ones. A window in which anything else sounds, or more than three or none, is left out.

    Raises
    ------
    UserError
        If the folder does not exist. A broken file is left out with its reason.
    """
    files, excluded = search(root, SUFFIXES)
    entries: list[Entry] = []
    windows = ordered_map(functools.partial(_windows, seconds=seconds, classes=classes), files, workers=workers)
    for found, left_out in tqdm(windows, total=len(files), desc="midi", unit="file", disable=not files):
        entries += found
        excluded += left_out
    return entries, excluded


def _windows(path: Path, *, seconds: float, classes: tuple[str, ...]) -> tuple[list[Entry], list[Excluded]]:
    try:
        score = load(path)
    except UserError as error:
        return [], [Excluded(path.as_posix(), str(error).removeprefix(f"{path}: "))]
    entries = []
    reasons: Counter[str] = Counter()
    count = math.ceil(max((note.end for track in score.instruments for note in track.notes), default=0) / seconds)
    sounding = _sounding(score, seconds)
    for number in range(count):
        onset = number * seconds
        reason = _unfit(sounding[number], classes)
        if reason:
            reasons[reason] += 1
        else:
            labels = tuple(sorted({_class_of(track, classes) or "" for track in sounding[number]}))
            entries.append(Entry(MIDI, path.as_posix(), onset, seconds, labels, path.as_posix()))
    if not count:
        return [], [Excluded(path.as_posix(), "holds no note")]
    if not reasons:
        return entries, []
    told = "; ".join(f"{number} where {reason}" for reason, number in sorted(reasons.items()))
    return entries, [Excluded(path.as_posix(), f"{reasons.total()} of {count} windows: {told}")]


def _sounding(score: pretty_midi.PrettyMIDI, seconds: float) -> dict[int, list[pretty_midi.Instrument]]:
    """Return the tracks that `cut` would keep for each window, in one walk through the notes."""
    sounding: dict[int, list[pretty_midi.Instrument]] = defaultdict(list)
    count = 1 + int(max((note.end for track in score.instruments for note in track.notes), default=0) / seconds)
    for track in score.instruments:
        sounds = np.zeros(count, bool)  # and no walk through the windows of each note, of which many may be long
        for note in track.notes:
            first, last = int(note.start / seconds), int(note.end / seconds)
            sounds[first + 1 : last] = True
            for number in (first, last):
                sounds[number] |= audible_span(note, number * seconds, seconds) is not None
        for number in np.flatnonzero(sounds).tolist():
            sounding[number].append(track)
    return sounding


def _unfit(tracks: list[pretty_midi.Instrument], classes: tuple[str, ...]) -> str:
    """Return why a window in which these tracks sound cannot be a clip; empty when it can."""
    strangers = {(track.is_drum, track.program) for track in tracks if not _class_of(track, classes)}
    if strangers:
        names = [
            "drums" if is_drum else pretty_midi.program_to_instrument_name(program)
            for is_drum, program in sorted(strangers)
        ]
        return f"an instrument of no class sounds ({', '.join(dict.fromkeys(names))})"
    sounding = {_class_of(track, classes) for track in tracks}
    if not sounding:
        return "nothing sounds"
    return f"more than {MOST_CLASSES} classes sound" if len(sounding) > MOST_CLASSES else ""


def _class_of(track: pretty_midi.Instrument, classes: tuple[str, ...]) -> str | None:
    """Return the class that a track plays: an instrument, or else the program itself."""
    names = ("drums",) if track.is_drum else (CLASS_OF_PROGRAM.get(track.program), f"gm_{track.program:03}")
    return next((name for name in names if name in classes), None)
