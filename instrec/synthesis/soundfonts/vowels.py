"""Sung vowels: cut out of a recording, and made to repeat as long as a key is held."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from instrec.synthesis.soundfonts.sf2_writer import Note

Signal = npt.NDArray[np.float64]

_LEVEL, _KNEE, _PEAK = 5000.0, 16000.0, 32000.0  # of 32768: root mean square of a vowel; where peaks bend, and end
_WAVERS, _CLIPPED, _PERIODIC = 3.5, 0.002, 0.75  # of a vowel: most level by least, clipped share, least correlation


def hz(key: float | Signal) -> Signal:
    """Return the frequency of a MIDI pitch."""
    return np.asarray(440 * 2 ** ((key - 69) / 12))


def note(y: Signal, rate: int, key: float, formants: float, from_seconds: float, seconds: float) -> Note | None:
    """Cut out a note and repeat its vowel, from `from_seconds` for about `seconds`.

    Parameters
    ----------
    y : one sung syllable [shape=(n,)], full scale 1.
    key : the MIDI pitch at which it shall sound, with fractions.
    formants : where the formants shall lie, relative to where they are; the voice sang lower by as much.

    Returns
    -------
    Note
        For all keys; None where the vowel is too short, clipped, or not even.
    """
    start, period = round(from_seconds * rate), rate / float(hz(key)) * formants
    if len(y) < (from_seconds + seconds) * rate + rate // 10 + 6 * period:
        return None
    power = uniform_filter1d(y**2, rate // 12, mode="constant")  # a running sum, which may end just below zero
    level = np.sqrt(np.maximum(0, power)) + 1e-6
    vowel = slice(start - rate // 10, round(start + (seconds + 0.05) * rate))
    if level[vowel].max() > _WAVERS * level[vowel].min() or np.mean(np.abs(y[vowel]) > 0.99) > _CLIPPED:
        return None
    if not _periodicity(y, rate, start, seconds, period) >= _PERIODIC:  # which may be NaN
        return None
    y = y / np.concatenate([np.full(start, level[start]), level[start:]])
    # It ends where the waveform is most alike, and fades over into what comes before its beginning.
    window = max(round(3 * period), rate // 100)
    ends = np.arange(round(start + seconds * rate - period), round(start + seconds * rate + period) + 1)
    before = y[start - window : start]
    candidates = np.lib.stride_tricks.sliding_window_view(y, window)[ends - window]
    end = int(ends[np.argmax(candidates @ before / np.linalg.norm(candidates, axis=1))])
    fade = np.linspace(0, 1, max(window, rate // 25))
    y[end - len(fade) : end] += fade * (y[start - len(fade) : start] - y[end - len(fade) : end])
    first = max(0, int(np.argmax(np.abs(y) > 0.02 * np.abs(y[:end]).max())) - rate // 200)
    y = np.concatenate([y[first:end], y[start : start + 32]])
    y[: rate // 500] *= np.linspace(0, 1, rate // 500)
    y *= _LEVEL / np.sqrt(np.mean(y[start - first : end - first] ** 2))
    beyond = np.maximum(0, np.abs(y) - _KNEE)
    y -= np.sign(y) * (beyond - (_PEAK - _KNEE) * np.tanh(beyond / (_PEAK - _KNEE)))
    loop = (start - first, end - first)
    # Played at another rate than it was made for, a voice has its formants elsewhere: another singer.
    return Note(np.round(y).astype(np.int16), round(rate * formants), key, (0, 127), loop, release_seconds=0.4)


def _periodicity(y: Signal, rate: int, start: int, seconds: float, period: float) -> float:
    """Return the lowest of a vowel's correlations with itself a period later, which may be 4 % off for the vibrato."""
    length = max(rate // 25, round(4 * period))
    highest = []
    for begin in start + np.linspace(0, seconds * rate, 7)[:-1].astype(int):
        now = y[begin : begin + length]
        lags = range(math.floor(0.96 * period), math.ceil(1.04 * period) + 1)
        later = np.lib.stride_tricks.sliding_window_view(y, length)[begin + np.asarray(lags)]
        highest.append(np.max(later @ now / (np.linalg.norm(later, axis=1) * np.linalg.norm(now) + 1e-9)))
    return float(np.min(highest))


def octave_higher(y: Signal, sample_rate: int, times: Signal, hz: Signal) -> Signal:
    """Cancel the odd harmonics of a voice that sings `hz` at `times`: the octave is left, in the same formants."""
    now = np.arange(len(y))
    half = 0.5 * sample_rate / np.interp(now / sample_rate, times, hz)
    for _ in range(2):  # its periods are whole samples, so once is not enough
        y = (2 * y + np.interp(now - half, now, y) + np.interp(now + half, now, y)) / 4
    return y
