"""What sounds of a track, as FluidSynth plays it: its notes from block to block, and its controllers."""

from __future__ import annotations

import itertools
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from instrec.synthesis import tuning
from instrec.synthesis.notes import WHEEL
from instrec.synthesis.variation import Voice

if TYPE_CHECKING:
    import pretty_midi

Curve = npt.NDArray[np.float64]

_VOLUME, _PAN, _EXPRESSION, _PEDAL = 7, 10, 11, 64  # MIDI controllers
_TIME, _VALUE, _PITCH = (operator.attrgetter(name) for name in ("time", "value", "pitch"))
_PEDALS, _ENDS, _STARTS = range(3)  # kinds of events, in FluidSynth's order where they come at once
_BEND_CENTS = 200.0  # the pitch wheel goes two semitones either way
HI_HATS = frozenset((42, 44, 46))  # drum keys that end one another


class Span(NamedTuple):
    """A note that sounds: its first block, the block where its release starts, its key and velocity."""

    start: int
    end: int
    key: int
    velocity: int


class Controls:
    """The controllers of a track, block by block."""

    def __init__(self, track: pretty_midi.Instrument, rate: float, blocks: int) -> None:
        self.rate = rate
        self.blocks = blocks
        self._bends = track.pitch_bends
        self._changes: dict[int, list[pretty_midi.ControlChange]] = defaultdict(list)
        for change in track.control_changes:
            self._changes[change.number].append(change)

    def pedals(self) -> list[tuple[int, int]]:
        """Return block and value of each change of the sustain pedal."""
        return [(round(change.time * self.rate), change.value) for change in self._changes.get(_PEDAL, [])]

    def wheel(self, block: int) -> int:
        """Return the position of the modulation wheel in a block, 0 before the first."""
        positions = [change.value for change in self._changes.get(WHEEL, []) if round(change.time * self.rate) <= block]
        return positions[-1] if positions else 0

    def bend(self) -> Curve | float:
        """Return the cents by which the pitch wheel moves each block."""
        return self._curve(self._bends, _PITCH, 0) * (_BEND_CENTS / 8192)

    def gains(self, voice: Voice) -> Curve:
        """Return the gain of volume, expression and pan at the edges of blocks [shape=(blocks + 1,)].

        Notes are rendered at volume 100, full expression, and the center, where the mean of both channels is highest.
        """
        volume = self._curve(self._changes.get(_VOLUME), _VALUE, voice.volume)
        pan = self._curve(self._changes.get(_PAN), _VALUE, voice.pan)
        expression = self._curve(self._changes.get(_EXPRESSION), _VALUE, 127)
        gains = np.empty(self.blocks + 1)
        gains[1:] = (expression * (volume / 12700)) ** 2 * np.cos((pan - 64) * (np.pi / 256))
        gains[0] = gains[1]
        return gains

    def _curve(self, changes: list[Any] | None, value: Callable[[Any], float], default: int) -> Curve | float:
        """Return the value in each block, or the only one."""
        if not changes:
            return float(default)
        changes = sorted(changes, key=_TIME)
        blocks = np.rint(np.fromiter(map(_TIME, changes), np.float64, len(changes)) * self.rate)
        latest = np.zeros(self.blocks + 1, np.intp)
        latest[np.minimum(blocks, self.blocks).astype(np.intp)] = np.arange(1, len(changes) + 1)
        values = np.fromiter(itertools.chain([default], map(value, changes)), np.float64, len(changes) + 1)
        return values[np.maximum.accumulate(latest[:-1])]


def _events(track: pretty_midi.Instrument, voice: Voice, controls: Controls) -> list[tuple[int, int, int, int]]:
    """Return (block, kind, key or value, velocity): pedals, ends of notes, starts of notes; in order."""
    events = [(block, _PEDALS, value, 0) for block, value in controls.pedals()]
    for note in track.notes:
        start = round(note.start * controls.rate)
        if start < controls.blocks:
            key = min(127, max(0, note.pitch + voice.zone_shift))
            events.append((start, _STARTS, key, note.velocity))
            events.append((max(round(note.end * controls.rate), start + 1), _ENDS, key, 0))
    return sorted(events, key=operator.itemgetter(0, 1))


def sounding_notes(track: pretty_midi.Instrument, voice: Voice, controls: Controls) -> list[Span]:
    """Return the notes as FluidSynth plays them.

    A key that is struck again, or whose end comes late, ends what sounds on it. The pedal holds notes that end.
    """
    spans: list[Span] = []
    sounding: dict[int, tuple[int, int]] = {}
    held: set[int] = set()
    choking = HI_HATS if track.is_drum else frozenset()
    is_down = False

    def end(keys: Iterable[int], block: int) -> None:
        for key in keys:
            if key in sounding:
                start, velocity = sounding.pop(key)
                spans.append(Span(start, min(block, controls.blocks), key, velocity))
                held.discard(key)

    for block, kind, value, velocity in _events(track, voice, controls):
        if kind == _STARTS:
            if value in choking or value in sounding:
                end(choking if value in choking else (value,), block)
            sounding[value] = (block, velocity)
        elif kind == _PEDALS:
            is_down = value >= 64
            end(() if is_down else sorted(held), block)
        elif is_down:
            held.add(value)
        elif value not in choking:
            end((value,), block)
    end(list(sounding), controls.blocks)
    return spans


def by_cents(spans: list[Span], voice: Voice, chosen: tuning.Tuning | None) -> dict[float, list[Span]]:
    """Group notes by how far a tuning moves them."""
    if chosen is None:
        return {0.0: spans}
    moved = tuning.cents(chosen) - 100.0 * np.arange(128)
    groups: dict[float, list[Span]] = defaultdict(list)
    for span in spans:
        groups[float(moved[min(127, max(0, span.key - voice.zone_shift))])].append(span)
    return groups
