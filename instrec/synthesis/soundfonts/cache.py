"""SoundFonts that a worker keeps in memory, so that none is loaded twice."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog

if TYPE_CHECKING:
    from instrec.synthesis.note_bank import NoteBank
    from instrec.synthesis.notes import Notes

# MuseScore_General_Full.sf3 takes ten seconds to load. All workers may fill half of the memory; the rest is for what
# they render and for a training beside them. Each may have a GiB, whatever the machine has: params.yaml's take 0.7.
_LEAST_BYTES = 1 << 30
_DECODED = 6  # times its file's size a compressed SoundFont takes in memory, as measured with that one
_IDLE_CLIPS = 1000  # one that so many clips have not used is not among those that take turns

_Font = tuple[str, tuple[str, ...], int]  # name, folders to look in, sample rate


@dataclass
class _Loaded:
    """A SoundFont in memory: its approximate size in bytes, the number of the clip that used it last, its note bank."""

    synth: Synth
    size: int
    last: int = 0
    bank: NoteBank | None = None


class SynthCache:
    """Keeps SoundFonts in memory, as far as they fit.

    Clips use the SoundFonts in turn. If not all fit, the one used longest ago is needed next. So the one used last
    makes room, unless another is not needed any more.
    """

    def __init__(self) -> None:
        self._loaded: dict[_Font, _Loaded] = {}  # the one used longest ago comes first
        self._notes: Notes | None = None
        self._clips = 0

    def synth(self, font: _Font, limit: int) -> Synth:
        """Return the synthesizer of a SoundFont. All loaded SoundFonts take at most `limit` bytes, or this one is
        alone."""
        return self._used(font, limit).synth

    def bank(self, font: _Font, limit: int) -> NoteBank:
        """Return the note bank of a SoundFont; the notes of all banks take at most half of `limit` beside it."""
        from instrec.synthesis import note_bank, notes  # they load Numba, which takes a second

        loaded = self._used(font, limit)
        if loaded.bank is None:
            self._notes = self._notes or notes.Notes(limit // 2)
            loaded.bank = note_bank.NoteBank(loaded.synth, self._notes)
        return loaded.bank

    def _used(self, font: _Font, limit: int) -> _Loaded:
        self._clips += 1
        self._loaded[font] = loaded = self._loaded.pop(font, None) or self._load(font, limit)
        loaded.last = self._clips
        return loaded

    def _load(self, font: _Font, limit: int) -> _Loaded:
        name, folders, sample_rate = font
        path = catalog.find(name, folders)
        size = path.stat().st_size * (_DECODED if path.suffix.lower() == ".sf3" else 1)
        while self._loaded and size + sum(each.size for each in self._loaded.values()) > limit:
            first, *_ = self._loaded
            is_idle = self._clips - self._loaded[first].last > _IDLE_CLIPS
            (self._loaded.pop(first) if is_idle else self._loaded.popitem()[1]).synth.close()
        return _Loaded(Synth(path, sample_rate), size)


SYNTHS = SynthCache()
"""Those of this process."""


@functools.cache
def soundfont_bytes(workers: int) -> int:
    """Return how much memory each of so many worker processes, 0 for one per core, may fill with SoundFonts."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # a container's own limit, where there is one
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(_LEAST_BYTES, memory // 2 // (workers or len(os.sched_getaffinity(0))))
