"""The overlap of SoundFonts: the recorded notes of each class that another SoundFont holds as well.

Many SoundFonts contain parts of others, whatever their names say. The unseen SoundFont must share no notes with those
of training. Notes are compared sample by sample: this finds renamed, retuned and cut notes, but not resampled or
compressed ones (SF3).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from instrec import taxonomy
from instrec.synthesis.soundfonts.sf2_reader import DRUM_BANK, SoundFont

_WIDE = 4  # samples, 64 bits of a waveform
_AT_ONCE = 1 << 20  # of them
_LEAST = 0.1  # of a class's notes; the same click or triangle in two drum kits makes no kit known


def notes(
    font: SoundFont, instrument: taxonomy.Instrument, substitutes: Iterable[taxonomy.Substitute] = ()
) -> set[int]:
    """Return the notes that play an instrument, or its substitutes, within their range; of drums those of all kits."""
    if instrument.is_drum:
        return {note for (bank, _), zones in font.zones.items() if bank == DRUM_BANK for _, _, note in zones}
    ranges = {each.program: each.pitches for each in substitutes} | instrument.programs
    return {
        note
        for program, (low, high) in ranges.items()
        for first, last, note in font.zones.get((0, program), [])
        if first <= high and low <= last
    }


def overlaps(learned: SoundFont, tested: SoundFont, classes: Iterable[str]) -> dict[str, float]:
    """Return the classes whose notes overlap, and the share of the notes of `learned` that `tested` holds as well.

    The notes of `learned` include those of substitute programs.
    """
    common, classes = shared(learned, tested), tuple(classes)
    found = {}
    for instrument in map(taxonomy.instrument, classes):
        related = [each for program in instrument.programs for each in taxonomy.substitutes(program, classes)]
        found[instrument.name] = sorted(notes(learned, instrument, related))
    shares = {name: float(common[own].mean()) for name, own in found.items() if own}
    return {name: share for name, share in shares.items() if share >= _LEAST}


def shared(one: SoundFont, other: SoundFont) -> npt.NDArray[np.bool_]:
    """Return for each note of one SoundFont whether another holds it as well [shape=(notes,)].

    It does where the note's steepest four samples are found in the other's waveforms, anywhere.
    """
    sought = np.zeros(len(one.spans), dtype=np.uint64)
    for number, (start, end) in enumerate(one.spans):
        slopes = np.abs(np.diff(one.pcm[start : max(start, end - _WIDE)].astype(np.int32)))
        if slopes.any():
            place = start + int(slopes.argmax())
            sought[number] = one.pcm[place : place + _WIDE].view(np.uint64)[0]
    known = np.unique(sought[sought > 0])
    found = np.zeros(len(known) + 1, dtype=bool)
    for shift in range(_WIDE if len(known) else 0):
        whole = other.pcm[shift : shift + (len(other.pcm) - shift) // _WIDE * _WIDE].view(np.uint64)
        for first in range(0, len(whole), _AT_ONCE):
            part = whole[first : first + _AT_ONCE]
            places = np.searchsorted(known, part)
            found[places[np.append(known, 0)[places] == part]] = True
    return np.asarray((sought > 0) & found[np.searchsorted(known, sought)])
