"""Log-mel features of windows that overlap: each frame of a stretch of sound is transformed once, in NumPy alone.

A window's features are those of `instrec.features`: only its first and last frames, which reach into the silence beyond
its ends, differ from the frames of the sound that goes on. Each window keeps its own loudest point as its reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

_SILENCE_DB = -100.0  # of a mel band's power; librosa's own floor, as in features.spectrum
_AT_ONCE = 64  # frames; they stay in a core's cache
_LARGEST = 2**18  # multiplications in a matrix product; OpenBLAS divides larger ones among threads of its own
_NOTHING = np.float32(1e-30)
_KEPT = ("scale", "hop", "mels", "min_hz", "max_hz", "floor_db", "frames")  # parameters of a spectrogram, as they are


@dataclass(frozen=True)
class LogMel:
    """Features of windows at one resolution; `features.LogMel` of the whole sound says what they mean.

    Attributes
    ----------
    samples : length of a window at `sample_rate`, in Hz.
    window, hop : length of a frame, and from one to the next, in samples.
    frames : that are kept of a window; 0 for all.
    """

    sample_rate: int
    samples: int
    scale: str
    window: int
    hop: int
    mels: int
    min_hz: float
    max_hz: float
    floor_db: float
    frames: int

    @property
    def count(self) -> int:
        """How many frames a window has."""
        return 1 + (self.samples - self.window % 2) // self.hop

    @cached_property
    def bank(self) -> FloatArray:
        """Mel filters [shape=(bins, mels)]."""
        return mel_bank(self.sample_rate, self.window, self.mels, self.min_hz, self.max_hz)

    @cached_property
    def blocks(self) -> list[tuple[slice, slice, FloatArray]]:
        """Which bins, which bands and the part of `bank` between them: together, all of it that is not zero.

        Where other work needs the cores, OpenBLAS's threads wait for each other longer than they compute: on two cores
        a product of whole matrices took forty times as long as on one. Nine in ten filter values are zero besides.
        """
        used = self.bank != 0
        first, end = used.argmax(axis=0), len(used) - used[::-1].argmax(axis=0)
        starts = [0]
        for band in range(1, self.mels):
            low, high = first[starts[-1] : band + 1].min(), end[starts[-1] : band + 1].max()
            if _AT_ONCE * (band + 1 - starts[-1]) * (high - low) > _LARGEST:
                starts.append(band)
        found = []
        for start, stop in zip(starts, [*starts[1:], self.mels], strict=True):
            bins, bands = slice(first[start:stop].min(), end[start:stop].max()), slice(start, stop)
            found.append((bins, bands, np.ascontiguousarray(self.bank[bins, bands])))
        return found

    @cached_property
    def taper(self) -> FloatArray:
        """Hann window [shape=(window,)]."""
        return np.hanning(self.window + 1)[:-1].astype(np.float32)

    def __call__(self, stretch: FloatArray, step: int) -> FloatArray:
        """Return features [shape=(windows, frames, mels)], 0..1, of the windows every `step` samples of a stretch."""
        windows = sliding_window_view(stretch, self.samples)[::step]
        if step % self.hop and len(windows) > 1:  # no two of them share a frame
            return np.concatenate([self(window, self.samples) for window in windows])
        margin, hop = self.window // 2, self.hop
        first = min(-(-margin // hop), self.count)
        last = max(first, min(self.count, 1 + (self.samples + margin - self.window) // hop))
        parts = [self._edge(windows, 0, first), self._edge(windows, last, self.count)]
        if inner := last - first:
            total = (len(windows) - 1) * step // hop + inner
            sound = self._emphasized(stretch)[first * hop - margin :]
            shared = self._decibels(sliding_window_view(sound, self.window)[::hop][:total])
            parts.insert(1, sliding_window_view(shared, inner, axis=0)[:: step // hop].swapaxes(1, 2))
        return self._scaled(np.concatenate(parts, axis=1))

    def _edge(self, windows: FloatArray, first: int, last: int) -> FloatArray:
        """Return frames `first` to before `last` of each window alone, with silence beyond its ends, in decibels."""
        if first == last:
            return np.zeros((len(windows), 0, self.mels), np.float32)
        start = first * self.hop - self.window // 2
        end = start + (last - first - 1) * self.hop + self.window
        beyond = (max(0, -start), max(0, end - self.samples))
        inside = self._emphasized(windows[:, max(0, start) : max(0, end) + 1])[:, : max(0, end) - max(0, start)]
        part = np.pad(inside, ((0, 0), beyond))
        return self._decibels(sliding_window_view(part, self.window, axis=1)[:, :: self.hop])

    def _emphasized(self, sound: FloatArray) -> FloatArray:
        return sound

    def _decibels(self, frames: FloatArray) -> FloatArray:
        """Return the level of each mel band, from frames [shape=(..., window)]."""
        power = np.empty((*frames.shape[:-1], self.mels), np.float32)
        for start in range(0, len(frames), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            spectrum = np.fft.rfft(frames[part] * self.taper)
            whole = np.square(spectrum.real) + np.square(spectrum.imag)
            for bins, bands, bank in self.blocks:
                power[part][..., bands] = whole[..., bins] @ bank
        return 10 * np.log10(np.maximum(power, _NOTHING))

    def _scaled(self, decibels: FloatArray) -> FloatArray:
        loudest = decibels.max(axis=(1, 2), keepdims=True)
        depth = np.full_like(loudest, self.floor_db)
        if self.scale == "log":
            depth = np.minimum(depth, loudest - decibels.min(axis=(1, 2), keepdims=True))
        seen = (loudest > _SILENCE_DB) & (depth > 0)
        scaled = 1 + (decibels - loudest) / np.where(seen, depth, 1)
        return np.where(seen, np.clip(scaled, 0, 1), 0)[:, : self.frames or None].astype(np.float32)


@dataclass(frozen=True)
class AudioSetMel(LogMel):
    """Features of windows as `features.AudioSetMel` of the whole sound has them.

    Attributes
    ----------
    length : of the Hann window, which lies in the middle of the `window` samples of a frame.
    """

    length: int

    @cached_property
    def bank(self) -> FloatArray:
        """Kaldi's mel filters [shape=(bins, mels)], all of the same height."""
        low, high = (1127 * np.log1p(hertz / 700) for hertz in (self.min_hz, self.max_hz))
        edges = np.linspace(low, high, self.mels + 2)
        bins = 1127 * np.log1p(np.fft.rfftfreq(self.window, 1 / self.sample_rate)[:, np.newaxis] / 700)
        sides = np.minimum(bins - edges[:-2], edges[2:] - bins) / (edges[1] - edges[0])
        bank: FloatArray = np.maximum(0, sides).astype(np.float32)
        bank[-1] = 0
        return bank

    @cached_property
    def taper(self) -> FloatArray:
        """Hann window between zeros [shape=(window,)]."""
        before = (self.window - self.length) // 2
        return np.pad(np.hanning(self.length), (before, self.window - self.length - before)).astype(np.float32)

    def _emphasized(self, sound: FloatArray) -> FloatArray:
        emphasized: FloatArray = np.float32(-0.97) * sound
        emphasized[..., :-1] += sound[..., 1:]
        return emphasized

    def _scaled(self, decibels: FloatArray) -> FloatArray:
        loudest = decibels.max(axis=(1, 2), keepdims=True)
        power = 10 ** ((decibels - loudest) / 10) + np.float32(10 ** (-self.floor_db / 10))
        return super()._scaled(loudest + 10 * np.log10(power))


@dataclass(frozen=True)
class Stack:
    """Resolutions as channels: a stretch of sound -> features [shape=(windows, frames, mels, resolutions)]."""

    resolutions: tuple[LogMel, ...]

    @property
    def grid(self) -> int:
        """Windows share frames where they are so many samples apart, or a multiple."""
        return self.resolutions[0].hop

    def __call__(self, stretch: FloatArray, step: int) -> FloatArray:
        """Return the features of the windows every `step` samples of a stretch [shape=(samples,)]."""
        return np.stack([each(stretch, step) for each in self.resolutions], axis=-1)


def made(sample_rate: int, samples: int, spectrogram: dict[str, Any]) -> Stack | None:
    """Return the front end of windows of so many samples; None where `spectrogram` is made in another way.

    Parameters
    ----------
    spectrogram : the parameters of that name that the model was trained with.
    """
    times = {"log_mel": (1,), "multi_resolution": (1, 2, 4), "audioset_mel": (1,)}.get(spectrogram["name"])
    if times is None or spectrogram["part"] != "whole":
        return None
    window, kept = spectrogram["window"], {name: spectrogram[name] for name in _KEPT}
    if spectrogram["name"] == "audioset_mel":
        points = 1 << (window - 1).bit_length()
        return Stack((AudioSetMel(sample_rate, samples, window=points, length=window, **kept),))
    frames = kept.pop("frames") or LogMel(sample_rate, samples, window=window, **kept, frames=0).count
    return Stack(tuple(LogMel(sample_rate, samples, window=window * each, frames=frames, **kept) for each in times))


def mel_bank(sample_rate: int, window: int, mels: int, min_hz: float, max_hz: float) -> FloatArray:
    """Return triangular filters [shape=(bins, mels)] of equal area on Slaney's mel scale, as librosa has them.

    Source: Slaney, Auditory Toolbox (1998).
    """
    low, middle, high = (_hertz(np.linspace(_mel(min_hz), _mel(max_hz), mels + 2))[i : mels + i] for i in range(3))
    bins = np.fft.rfftfreq(window, 1 / sample_rate)[:, np.newaxis]
    sides = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return (np.maximum(0, sides) * 2 / (high - low)).astype(np.float32)


_LINEAR_MELS, _LINEAR_HZ, _STEP = 15.0, 1000.0, np.log(6.4) / 27  # below, a mel is as many Hz everywhere


def _mel(hertz: float) -> float:
    if hertz < _LINEAR_HZ:
        return hertz * _LINEAR_MELS / _LINEAR_HZ
    return float(_LINEAR_MELS + np.log(hertz / _LINEAR_HZ) / _STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _LINEAR_HZ * np.exp(_STEP * (mels - _LINEAR_MELS))
    return np.where(mels < _LINEAR_MELS, mels * _LINEAR_HZ / _LINEAR_MELS, above)
