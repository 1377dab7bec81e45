"""Read MIDI files, and cut scores."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from instrec.errors import UserError
from instrec.scores import midi_file
from instrec.scores.library import pretty_midi

LONGEST_SECONDS = 6 * 3600.0  # what claims to last longer is broken, and would be cut without end
_KIT = range(35, 82)  # keys of General MIDI's drum kit; what others play differs between SoundFonts, or is silence
_AUDIBLE_SECONDS = 0.05  # of a longer note; less of it at a window's edge is left out of sound and labels alike


def load(path: Path) -> pretty_midi.PrettyMIDI:
    """Read a MIDI file with `midi_file`. Drum notes on keys outside General MIDI's kit are left out.

    Raises
    ------
    UserError
        If it is missing, damaged, no MIDI file, of type 2, or too long.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tempo changes on a later track: read all the same
            score = pretty_midi.PrettyMIDI(mido_object=midi_file.read(path.read_bytes()))
    except Exception as error:  # mido raises whatever its parser stumbles over
        what = str(error) or type(error).__name__
        raise UserError(
            "not-a-midi-file", path, f"not a MIDI file that can be read ({what}); replace or remove it"
        ) from error
    if score.get_end_time() > LONGEST_SECONDS:
        hours = score.get_end_time() / 3600
        raise UserError("midi-too-long", path, f"claims to last {hours:.0f} hours; replace or remove it")
    for track in score.instruments:
        if track.is_drum:
            track.notes = [note for note in track.notes if note.pitch in _KIT]
    return score


def cut(score: pretty_midi.PrettyMIDI, onset: float, seconds: float) -> pretty_midi.PrettyMIDI:
    """Return a window of a score, shifted to start at 0.

    Notes that reach into the window are clipped to it. The last values of controllers and pitch bends before the window
    are kept. Tracks without a note in the window are left out.

    Parameters
    ----------
    score : not changed.
    onset, seconds : the window.
    """
    part = pretty_midi.PrettyMIDI()
    for track in score.instruments:
        notes = [
            pretty_midi.Note(note.velocity, note.pitch, *span)
            for note in track.notes
            if (span := audible_span(note, onset, seconds))
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


def audible_span(note: pretty_midi.Note, onset: float, seconds: float) -> tuple[float, float] | None:
    """Return start and end of a note in a window; None if it does not sound there."""
    start, end = max(note.start, onset), min(note.end, onset + seconds)
    audible = end > start and end - start >= min(_AUDIBLE_SECONDS, note.end - note.start)
    return (start - onset, end - onset) if audible else None


def _in_force(changes: list[Any], onset: float, seconds: float) -> list[Any]:
    """Return the changes in a window, preceded by the last earlier value of each controller."""
    changes = sorted(changes, key=lambda change: change.time)
    # Pitch bends have no number: a channel has one.
    before = {getattr(change, "number", None): change for change in changes if change.time <= onset}
    return [*before.values(), *(change for change in changes if onset < change.time < onset + seconds)]
