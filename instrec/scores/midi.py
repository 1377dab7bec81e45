"""The user's own MIDI files, cut into windows whose labels are the programs that sound in them."""

from __future__ import annotations

import functools
import math
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi

from instrec.corpus.index import MIDI, Entry, Excluded, search
from instrec.errors import UserError
from instrec.scores import midi_file
from instrec.taxonomy import CLASS_OF_PROGRAM
from instrec.util.parallel import ordered_map
from instrec.util.progress import tqdm

SUFFIXES = frozenset({".mid", ".midi", ".kar", ".smf", ".rmi"})
MOST_CLASSES = 3  # a clip has 0 to 3 instruments
LONGEST_SECONDS = 6 * 3600.0  # what claims to last longer is broken, and would be cut without end

_KIT = range(35, 82)  # keys of General MIDI's drum kit; what others play differs between SoundFonts, or is silence
_AUDIBLE_SECONDS = 0.05  # of a longer note; less of it at a window's edge is left out of sound and labels alike


def scan(
    root: Path, *, seconds: float, classes: tuple[str, ...], workers: int = 0
) -> tuple[list[Entry], list[Excluded]]:
    """Cut every MIDI file of a folder into windows, one entry each, the file being their group.

    Parameters
    ----------
    root : searched with all its sub-folders.
    seconds : length of a window; windows follow one another.
    classes : the known ones. A window in which anything else sounds, or more than three or none, is left out.

    Raises
    ------
    UserError
        When the folder does not exist. A broken file is left out with its reason.
    """
    files, excluded = search(root, SUFFIXES)
    entries: list[Entry] = []
    windows = ordered_map(functools.partial(_windows, seconds=seconds, classes=classes), files, workers=workers)
    for found, left_out in tqdm(windows, total=len(files), desc="midi", unit="file", disable=not files):
        entries += found
        excluded += left_out
    return entries, excluded


def load(path: Path) -> pretty_midi.PrettyMIDI:
    """Read a MIDI file, as `midi_file` says. Drum notes on keys that no kit promises are left out.

    Raises
    ------
    UserError
        When it is missing, broken or no MIDI file, of type 2, or too long.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tempo changes on a later track: read all the same
            score = pretty_midi.PrettyMIDI(mido_object=midi_file.read(path.read_bytes()))
    except Exception as error:  # mido raises whatever its parser stumbles over
        what = str(error) or type(error).__name__
        raise UserError(f"{path}: not a MIDI file that can be read ({what}); replace or remove it") from error
    if score.get_end_time() > LONGEST_SECONDS:
        hours = score.get_end_time() / 3600
        raise UserError(f"{path}: claims to last {hours:.0f} hours; replace or remove it")
    for track in score.instruments:
        if track.is_drum:
            track.notes = [note for note in track.notes if note.pitch in _KIT]
    return score


def cut(score: pretty_midi.PrettyMIDI, onset: float, seconds: float) -> pretty_midi.PrettyMIDI:
    """Give the part of a score from `onset` on, shifted to begin at 0.

    Notes that reach into the window are clipped to it. Of controllers and pitch bends before it the last
    value counts. Tracks without a note in the window are left out.

    Parameters
    ----------
    score : left as it is.
    onset, seconds : the window.
    """
    part = pretty_midi.PrettyMIDI()
    for track in score.instruments:
        notes = [
            pretty_midi.Note(note.velocity, note.pitch, *span)
            for note in track.notes
            if (span := _span(note, onset, seconds))
        ]
        if notes:
            piece = pretty_midi.Instrument(track.program, track.is_drum, track.name)
            piece.notes = notes
            for change in _in_force(track.control_changes, onset, seconds):
                time = max(0.0, change.time - onset)
                piece.control_changes.append(pretty_midi.ControlChange(change.number, change.value, time))
            for bend in _in_force(track.pitch_bends, onset, seconds):
                piece.pitch_bends.append(pretty_midi.PitchBend(bend.pitch, max(0.0, bend.time - onset)))
            part.instruments.append(piece)
    return part


def _span(note: pretty_midi.Note, onset: float, seconds: float) -> tuple[float, float] | None:
    """Give where in a window a note sounds; None where it is not heard."""
    start, end = max(note.start, onset), min(note.end, onset + seconds)
    heard = end > start and end - start >= min(_AUDIBLE_SECONDS, note.end - note.start)
    return (start - onset, end - onset) if heard else None


def _in_force(changes: list[Any], onset: float, seconds: float) -> list[Any]:
    """Give the changes inside a window, after the last one before it of each controller."""
    changes = sorted(changes, key=lambda change: change.time)
    # Pitch bends have no number: there is one for a channel.
    before = {getattr(change, "number", None): change for change in changes if change.time <= onset}
    return [*before.values(), *(change for change in changes if onset < change.time < onset + seconds)]


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
    """Give the tracks that `cut` would keep for each window, in one walk through the notes."""
    sounding: dict[int, list[pretty_midi.Instrument]] = defaultdict(list)
    count = 1 + int(max((note.end for track in score.instruments for note in track.notes), default=0) / seconds)
    for track in score.instruments:
        sounds = np.zeros(count, bool)  # and no walk through the windows of each note, of which many may be long
        for note in track.notes:
            first, last = int(note.start / seconds), int(note.end / seconds)
            sounds[first + 1 : last] = True
            for number in (first, last):
                sounds[number] |= _span(note, number * seconds, seconds) is not None
        for number in np.flatnonzero(sounds).tolist():
            sounding[number].append(track)
    return sounding


def _unfit(tracks: list[pretty_midi.Instrument], classes: tuple[str, ...]) -> str:
    """Say why a window in which these tracks sound cannot be a clip; empty when it can."""
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
    """Give the class that a track plays: an instrument's, or where that is none of ours the program's own."""
    names = ("drums",) if track.is_drum else (CLASS_OF_PROGRAM.get(track.program), f"gm_{track.program:03}")
    return next((name for name in names if name in classes), None)
