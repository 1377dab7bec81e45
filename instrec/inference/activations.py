"""Activations of a model over a file of any length: block by block, in overlapping windows, in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from instrec.audio import arrays, decoding, loudness
from instrec.errors import UserError, shown
from instrec.inference.cutter import BATCH, Cutter
from instrec.inference.window_classifier import FloatArray, WindowClassifier

_BLOCK_SECONDS = 5.0  # of sound decoded before windows are cut: more would leave the other threads without work
_MOST_THREADS = 4  # more would wait for the decoder, and each needs memory of its own

Item = TypeVar("Item")
Result = TypeVar("Result")
_Part = tuple[np.ndarray, FloatArray, np.ndarray]  # onsets, presence and RMS of windows

_FRAMES_PER_SECOND = 100  # of the waveform's envelope
_CELLS_PER_SECOND = 10  # of the timeline


@dataclass(frozen=True)
class Activations:
    """Activations of a model over one file, window by window.

    Attributes
    ----------
    file : the path as it was given.
    classes : the columns of `presence`.
    sample_rate : Hz, of the model; every length below is in samples at this rate.
    window, hop, total : length of a window, distance between windows, length of the file.
    onsets : np.ndarray [shape=(windows,), int]
    presence : np.ndarray [shape=(windows, classes), float32, 0..1], zero in silent windows. A model that
        counts multiplies it by the probability that any instrument sounds.
    rms : np.ndarray [shape=(windows,)], RMS level of each window, 0..1.
    envelope : np.ndarray [shape=(frames,)], highest magnitude in every `frame` samples.
    frame : length of a frame of the envelope.
    loudest : RMS level of the loudest frame, 0..1.
    facts : what decoding found out about the file.
    """

    file: str
    classes: tuple[str, ...]
    sample_rate: int
    window: int
    hop: int
    total: int
    onsets: np.ndarray
    presence: np.ndarray
    rms: np.ndarray
    envelope: np.ndarray
    frame: int
    loudest: float = 1.0
    facts: decoding.Facts = field(default_factory=decoding.Facts)

    @property
    def duration(self) -> float:
        """Length of the file in seconds."""
        return self.total / self.sample_rate

    @property
    def cell(self) -> int:
        """Length of a cell of the timeline in samples: 0.1 s."""
        return max(1, self.sample_rate // _CELLS_PER_SECOND)

    @property
    def cells(self) -> int:
        """Number of cells in the file; the last may be shorter."""
        return -(-self.total // self.cell)

    @property
    def middles(self) -> np.ndarray:
        """Return the middle of each cell in samples [shape=(cells,)]."""
        middles: np.ndarray = np.minimum((np.arange(self.cells) + 0.5) * self.cell, self.total - 0.5)
        return middles

    @property
    def silent(self) -> np.ndarray:
        """Return for each window whether it is silent [shape=(windows,), bool]."""
        return self.rms < loudness.silence(self.loudest, loudness.DITHER_RMS_DBFS)

    @property
    def audible(self) -> np.ndarray:
        """Return for each cell of the timeline whether anything sounds in it [shape=(cells,), bool]."""
        peaks = np.maximum.reduceat(self.envelope, np.arange(self.cells) * self.cell // self.frame)
        return np.asarray(peaks >= loudness.silence(self.loudest, loudness.DITHER_PEAK_DBFS))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the file: incomplete, or one of several tracks; one line per warning."""
        facts, found = self.facts, []
        if not facts.complete:
            of = f" of the {facts.claimed_seconds:.1f} s it claims" if facts.claims_more else ""
            found.append(f"{self.file}: cut off or damaged: {facts.seconds:.1f} s{of} can be decoded; get it again")
        if facts.tracks > 1 and not facts.asked:
            found.append(
                f"{self.file}: holds {facts.tracks} audio tracks; track {facts.track} is used; "
                "choose another with --track N"
            )
        return tuple(found)


def activations_of(
    sound: Path | str | np.ndarray,
    model: WindowClassifier,
    *,
    sample_rate: int | None = None,
    hop_seconds: float | None = None,
    hop_share: float = 0.5,
    track: int | None = None,
    threads: int | None = None,
    progress: Callable[[float], Any] | None = None,
) -> Activations:
    """Return the activations of a file or an array, which streams through the model in bounded memory.

    One thread decodes while others compute activations; their number changes no result.

    The last window ends where the sound ends. A sound shorter than a window is padded with silence.

    Parameters
    ----------
    sound : a file, or an array as `arrays.blocks` takes it, at `sample_rate`.
    hop_seconds : from window to window; by default, `hop_share` of a window. Either is rounded to the model's grid.
    track : which audio track of the file, from 1 on; see `decoding.blocks`.
    threads : that compute activations; by default, one per core, and not more than 4.
    progress : called for each block with its length in seconds.

    Raises
    ------
    UserError
        When the sound cannot be read, or the hop is not between 0.1 s and a window.
    """
    if not isinstance(sound, str | os.PathLike | np.ndarray):
        kind = type(sound).__name__
        raise UserError("value-invalid", f"sound of type {kind}", "allowed are a path and a NumPy array")
    rate, hop = model.sample_rate, model.hop(hop_seconds, share=hop_share)
    facts, name = decoding.Facts(), "sound" if isinstance(sound, np.ndarray) else shown(sound)
    if isinstance(sound, np.ndarray):
        blocks = arrays.blocks(sound, sample_rate, rate)
    else:
        blocks = decoding.blocks(Path(sound), rate, block_seconds=_BLOCK_SECONDS, track=track, facts=facts)
    envelope, cutter = loudness.Envelope(rate // _FRAMES_PER_SECOND), Cutter(model.window, hop, least=BATCH)

    def stretches() -> Iterator[tuple[int, FloatArray]]:
        for block, heard in model.sounds(blocks):
            envelope.add(block)
            yield from cutter.add(heard)
            if progress:
                progress(len(block) / rate)
        yield from cutter.end()

    threads = threads or min(cores(), _MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        found = in_order(pool, lambda each: window_activations(model, *each, hop), stretches(), ahead=threads + 2)
        parts = list(found)
    if not parts:
        raise UserError("audio-too-short", name, f"too short to hold a sample at {rate} Hz; give a longer file")
    onsets, presence, rms = (np.concatenate(each) for each in zip(*parts, strict=True))
    activations = Activations(
        file=name,
        classes=model.classes,
        sample_rate=rate,
        window=model.window,
        hop=hop,
        total=envelope.total,
        onsets=onsets,
        presence=presence,
        rms=rms,
        envelope=envelope.peaks(),
        frame=envelope.frame,
        loudest=envelope.loudest,
        facts=facts,
    )
    presence[activations.silent] = 0  # silence depends on the loudest frame, known only now
    return activations


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], *, ahead: int
) -> Generator[Result]:
    """Apply a function to every item in the threads of a pool, and return the results in the order of the items.

    No more than `ahead` results wait or are being computed, which bounds memory. Closed early, it begins no more.
    """
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for each in pending:
            each.cancel()


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Return the highest of each of `most` equal stretches along the first axis; all values where there are no more."""
    parts = min(most, len(values))
    return np.asarray(np.maximum.reduceat(values, np.arange(parts) * len(values) // parts))


def window_activations(model: WindowClassifier, onset: int, stretch: FloatArray, hop: int) -> _Part:
    """Return onsets, presence and RMS of the windows every `hop` samples of a stretch that starts at `onset`.

    The model runs only on windows that may sound. The presence of the others is zero.
    """
    sound = stretch if stretch.ndim == 1 else stretch.sum(axis=1)  # parts add up to it
    windows = sliding_window_view(sound, min(len(sound), model.window))[::hop]
    energy = np.concatenate([[0], np.cumsum(np.square(sound, dtype=np.float64))])  # up to each sample
    starts = hop * np.arange(len(windows))
    rms = np.sqrt((energy[starts + windows.shape[1]] - energy[starts]) / windows.shape[1])
    presence = np.zeros((len(windows), len(model.classes)), np.float32)
    loud = rms >= 10 ** (loudness.DITHER_RMS_DBFS / 20)
    if loud.any():
        missing = np.zeros((max(0, model.window - len(stretch)), *stretch.shape[1:]), np.float32)
        presence[loud] = model.network(model.features(np.concatenate([stretch, missing]), hop)[loud])
    return onset + starts, presence, rms
