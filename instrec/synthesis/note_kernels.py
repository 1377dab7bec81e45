"""Inner loops of the note bank, compiled by Numba: notes into a track, a track into a clip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from instrec.synthesis.fluidsynth import BLOCK  # pitch and gain change from block to block

MARGIN = 1  # samples of a track before its first, for the interpolation
TAPS = 4  # a filter has a multiple of so many

Signal = npt.NDArray[np.float32]
_Function = TypeVar("_Function", bound=Callable[..., None])
_CHUNK = 4 * BLOCK  # samples of a note whose level changes linearly
_RAMP = np.arange(_CHUNK, dtype=np.float32)  # as 64-bit counts become floats one by one, not by vectors


def _compiled(function: _Function) -> _Function:
    compiled: _Function = numba.njit(cache=True, fastmath=True, boundscheck=False)(function)
    return compiled


@_compiled
def _add_ramp(target: Signal, source: Signal, level: float, slope: float) -> None:
    """Add up to a chunk of a note at a level that changes by `slope` per sample."""
    first, step = np.float32(level), np.float32(slope)
    for i in range(len(source)):
        target[i] += source[i] * (first + step * _RAMP[i])


@_compiled
def add_note(track: Signal, note: Signal, start: int, gain: float, attack: float, off: int, decay: float) -> None:
    """Add a note to a track.

    Parameters
    ----------
    start : sample of the track where the note starts; negative if it sounds already.
    gain : of the whole note.
    attack : samples until it has that gain, linearly.
    off : sample of the note where its release starts.
    decay : change of the amplitude's natural logarithm per sample from there; negative.
    """
    first, last = max(0, -start), min(len(note), len(track) - start)
    held, rise = min(last, off), min(attack, float(off))
    risen = min(held, max(first, int(rise)))
    for begin in range(first, risen, _CHUNK):
        end = min(risen, begin + _CHUNK)
        _add_ramp(track[start + begin : start + end], note[begin:end], gain * begin / attack, gain / attack)
    if held > risen:
        target, source, full = track[start + risen : start + held], note[risen:held], np.float32(gain)
        for i in range(len(source)):
            target[i] += source[i] * full
    level = gain * min(1.0, off / max(attack, 1.0)) * np.exp(decay * max(0, first - off))
    chunk = _CHUNK if decay * _CHUNK > -1 else BLOCK
    change = np.expm1(decay * chunk)
    for begin in range(max(first, off), last, chunk):
        end = min(last, begin + chunk)
        _add_ramp(track[start + begin : start + end], note[begin:end], level, level * change / chunk)
        level += level * change


@_compiled
def resample(y: Signal, track: Signal, positions: Any, gains: Any) -> None:
    """Add a track to a sound of whole blocks, block by block at another rate and gain.

    Parameters
    ----------
    positions : samples of the track, after MARGIN, where blocks begin and the last one ends [shape=(blocks + 1,)].
    gains : at the same places; linear between them.

    Notes
    -----
    Interpolates by Catmull-Rom splines, as FluidSynth does. Loops are apart so that all but the second are vectorized;
    unsigned indexes are not checked for being negative.
    """
    places, parts = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.float32)
    p = np.empty((BLOCK, 4), np.float32)
    half, three, four, five, one = np.float32(0.5), np.float32(3), np.float32(4), np.float32(5), np.uint32(1)
    for block in range(len(positions) - 1):
        whole = int(positions[block])
        offset = np.float32(positions[block] - whole)
        ratio = np.float32((positions[block + 1] - positions[block]) / BLOCK)
        source, out = track[whole:], y[block * BLOCK : (block + 1) * BLOCK]
        for i in range(BLOCK):
            place = offset + ratio * _RAMP[i]
            places[i] = np.int32(place)
            parts[i] = place - np.float32(places[i])
        for i in range(BLOCK):
            k = np.uint32(places[i])
            p[i, 0], p[i, 1], p[i, 2], p[i, 3] = source[k], source[k + one], source[k + one + one], source[k + 3 * one]
        gain, step = np.float32(gains[block]), np.float32((gains[block + 1] - gains[block]) / BLOCK)
        for i in range(BLOCK):
            t, p0, p1, p2, p3 = parts[i], p[i, 0], p[i, 1], p[i, 2], p[i, 3]
            cubic = t * (p0 + p0 - five * p1 + four * p2 - p3 + t * (three * (p1 - p2) + p3 - p0))
            out[i] += (p1 + half * t * (p2 - p0 + cubic)) * (gain + step * _RAMP[i])


@_compiled
def add_filtered(out: Signal, y: Signal, taps: Signal) -> None:
    """Add a sound, filtered by an impulse response, to another of whole blocks.

    Parameters
    ----------
    y : len(taps) - 1 zeros before the sound.
    taps : the impulse response from its end to its start; a multiple of TAPS.
    """
    for begin in range(0, len(out), BLOCK):
        here = out[begin : begin + BLOCK]
        for tap in range(0, len(taps), TAPS):
            c0, c1, c2, c3 = taps[tap], taps[tap + 1], taps[tap + 2], taps[tap + 3]
            source = y[begin + tap : begin + tap + BLOCK + 3]
            for i in range(BLOCK):
                here[i] += c0 * source[i] + c1 * source[i + 1] + c2 * source[i + 2] + c3 * source[i + 3]
