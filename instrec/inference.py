"""From an audio file of any length to what sounds in it: windows -> presence -> timeline -> segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from instrec import spectrograms
from instrec.classifier import Classifier
from instrec.errors import UserError
from instrec.params import ClipParams
from instrec.sources import audio

SILENCE_DBFS = -70.0
"""A window of a lower RMS level, or a stretch of the timeline of a lower peak, holds nothing that sounds."""

MIN_HOP_SECONDS = 0.1
BATCH = 32  # windows; at two windows a hop, 48 s of audio in memory

_SILENCE = 10 ** (SILENCE_DBFS / 20)
_FRAMES_PER_SECOND = 100  # of the waveform's envelope


@dataclass(frozen=True)
class Listening:
    """What a model heard in one file, window by window.

    Attributes
    ----------
    file : the path as it was given.
    classes : what the model tells apart.
    sample_rate : Hz, of the model; every length below is in samples at this rate.
    window, hop, total : length of a window, from window to window, of the whole file.
    onsets : np.ndarray [shape=(windows,), int]
    presence : np.ndarray [shape=(windows, classes), float32, 0..1], zero in silent windows.
    rms : np.ndarray [shape=(windows,)], level of each window, 0..1.
    envelope : np.ndarray [shape=(frames,)], highest magnitude in every `frame` samples.
    frame : length of a frame of the envelope.
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

    @property
    def duration(self) -> float:
        """Length of the file in seconds."""
        return self.total / self.sample_rate

    @property
    def silent(self) -> np.ndarray:
        """Say of each window whether it is silent [shape=(windows,), bool]."""
        return self.rms < _SILENCE


@dataclass(frozen=True)
class Sounding:
    """One instrument of a file: how sure the model is at its surest, and the seconds where it sounds."""

    name: str
    probability: float
    segments: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Prediction:
    """The instruments of a file, the surest first, and their timeline [shape=(cells, classes)]."""

    heard: Listening
    timeline: np.ndarray
    instruments: tuple[Sounding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give what `predict --json` writes: times to the millisecond, probabilities to four places."""
        return {
            "file": self.heard.file,
            "duration_seconds": round(self.heard.duration, 3),
            "instruments": [
                {
                    "name": each.name,
                    "probability": round(each.probability, 4),
                    "segments": [[round(start, 3), round(end, 3)] for start, end in each.segments],
                }
                for each in self.instruments
            ],
        }


def predict(
    path: Path | str,
    classifier: Classifier,
    *,
    hop_seconds: float | None = None,
    threshold: float | None = None,
) -> Prediction:
    """Name the instruments of a file and when they sound.

    An instrument is named when, and for as long as, its timeline reaches its threshold. Its probability is
    the highest value of its timeline, a short moving average over windows: a mean over the whole file would
    lose what plays briefly in a long one.

    Parameters
    ----------
    hop_seconds : from window to window; half a window unless told.
    threshold : for every class, instead of the thresholds chosen on validation data.

    Raises
    ------
    UserError
        When the file cannot be read as audio, or hop or threshold is out of range.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise UserError(f"threshold {threshold:g} is outside 0..1; None stands for the model's own")
    heard = listen(path, classifier, hop_seconds=hop_seconds)
    thresholds = classifier.card.thresholds if threshold is None else (threshold,) * len(heard.classes)
    activity = timeline(heard)
    active = sounding(activity, thresholds)
    cell = heard.hop / heard.sample_rate
    instruments = [
        Sounding(name, float(activity[:, index].max()), segments(active[:, index], cell, heard.duration))
        for index, name in enumerate(heard.classes)
        if active[:, index].any()
    ]
    return Prediction(heard, activity, tuple(sorted(instruments, key=lambda each: -each.probability)))


def listen(path: Path | str, classifier: Classifier, *, hop_seconds: float | None = None) -> Listening:
    """Stream a file through the model, window by window, in memory that does not grow with its length.

    The last window ends where the file ends; a file shorter than a window is padded with silence.

    Raises
    ------
    UserError
        When the file cannot be read as audio, or the hop is not between 0.1 s and a window.
    """
    clip = classifier.card.clip
    hop = hop_samples(clip, hop_seconds)
    envelope = _Envelope(clip.sample_rate // _FRAMES_PER_SECOND)
    # Shown on a terminal only, and only for files that take a while.
    with tqdm(
        desc=Path(path).name, unit="s", unit_scale=True, delay=2, disable=None, leave=False
    ) as progress:
        blocks = _watched(audio.blocks(Path(path), clip.sample_rate), envelope, progress, clip.sample_rate)
        onsets, presence, rms = _hear(windows(blocks, clip.samples, hop), classifier)
    if not envelope.total:
        raise UserError(f"{path}: too short to hold a sample at {clip.sample_rate} Hz; give a longer file")
    return Listening(
        file=str(path),
        classes=classifier.card.classes,
        sample_rate=clip.sample_rate,
        window=clip.samples,
        hop=hop,
        total=envelope.total,
        onsets=onsets,
        presence=presence,
        rms=rms,
        envelope=envelope.peaks(),
        frame=envelope.frame,
    )


def hop_samples(clip: ClipParams, hop_seconds: float | None) -> int:
    """Give the hop between windows in samples: half a window unless told.

    Raises
    ------
    UserError
        When it is not between 0.1 s and a window.
    """
    if hop_seconds is None:
        return clip.samples // 2
    if not MIN_HOP_SECONDS <= hop_seconds <= clip.seconds:
        raise UserError(
            f"hop of {hop_seconds:g} s: allowed is {MIN_HOP_SECONDS:g} to {clip.seconds:g}, a window"
        )
    return round(hop_seconds * clip.sample_rate)


def windows(blocks: Iterable[np.ndarray], window: int, hop: int) -> Iterator[tuple[int, np.ndarray]]:
    """Cut a stream of blocks of any length into windows, one every `hop` samples and one that ends with it.

    Yields
    ------
    (onset, y) : where the window starts, in samples, and np.ndarray [shape=(window,)]; shorter only where the
        whole stream is, and none where it is empty.
    """
    onset, rest = -hop, np.zeros(hop, np.float32)  # as if a window had been taken one hop before the start
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) >= hop + window:
            onset, rest = onset + hop, rest[hop:]
            yield onset, rest[:window]
    total = onset + len(rest)
    if onset < 0 < total:
        yield 0, rest[hop:]
    elif total > onset + window:
        yield total - window, rest[-window:]


def timeline(heard: Listening) -> np.ndarray:
    """Lay windows onto a grid of one cell a hop.

    Returns
    -------
    np.ndarray [shape=(cells, classes), float64, 0..1]
        Each cell is the mean presence of the windows that cover it, weighted by how much of it they cover;
        zero where the cell itself is silent, so that rests shorter than a window show.
    """
    cells = -(-heard.total // heard.hop)
    summed = np.zeros((cells, len(heard.classes)))
    weight = np.zeros(cells)
    first = heard.onsets // heard.hop
    for cell in (first + offset for offset in range(-(-heard.window // heard.hop) + 1)):
        start = np.maximum(cell * heard.hop, heard.onsets)
        end = np.minimum(np.minimum((cell + 1) * heard.hop, heard.onsets + heard.window), heard.total)
        covers = end > start
        np.add.at(summed, cell[covers], heard.presence[covers] * (end - start)[covers, None])
        np.add.at(weight, cell[covers], (end - start)[covers])
    peaks = np.maximum.reduceat(heard.envelope, np.arange(cells) * heard.hop // heard.frame)
    return np.where(peaks[:, None] < _SILENCE, 0.0, summed / weight[:, None])


def sounding(activity: np.ndarray, thresholds: Iterable[float]) -> np.ndarray:
    """Decide where each class reaches its threshold and is not silent [shape=(cells, classes), bool]."""
    return (activity >= np.asarray(tuple(thresholds))) & (activity > 0)


def segments(active: np.ndarray, cell_seconds: float, duration: float) -> tuple[tuple[float, float], ...]:
    """Merge active cells [shape=(cells,), bool] into (start, end) in seconds, none past `duration`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2).tolist()
    return tuple((start * cell_seconds, min(end * cell_seconds, duration)) for start, end in runs)


def score(heard: Listening) -> np.ndarray:
    """Weigh the classes of a file that holds one instrument.

    Returns
    -------
    np.ndarray [shape=(classes,), 0..1]
        Mean presence over the windows, each weighing as much as its RMS level: tails and breaths say little.

    Raises
    ------
    UserError
        When every window is silent.
    """
    if heard.silent.all():
        raise UserError(f"{heard.file}: silent (under {SILENCE_DBFS:g} dBFS)")
    mean = np.average(heard.presence, axis=0, weights=heard.rms)
    return np.minimum(mean, 1.0)  # a weighted mean of ones may round above one


def _hear(
    cut: Iterator[tuple[int, np.ndarray]], classifier: Classifier
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give onsets, presence and RMS of every window; the model is asked only about those that sound."""
    card = classifier.card
    representation = spectrograms.from_params(card.clip, card.spectrogram)
    onsets: list[int] = []
    levels: list[float] = []
    parts = [np.zeros((0, len(card.classes)), np.float32)]
    while batch := tuple(islice(cut, BATCH)):
        rms = np.array([np.sqrt(np.mean(np.square(y, dtype=np.float64))) for _, y in batch])
        clips = np.zeros((len(batch), card.clip.samples), np.float32)
        for row, (_, y) in zip(clips, batch, strict=True):
            row[: len(y)] = y
        presence = np.zeros((len(batch), len(card.classes)), np.float32)
        loud = rms >= _SILENCE
        if loud.any():
            presence[loud], _ = classifier.predict(representation.batch(clips[loud]))
        onsets += [onset for onset, _ in batch]
        levels += rms.tolist()
        parts.append(presence)
    return np.array(onsets, np.int64), np.concatenate(parts), np.array(levels)


class _Envelope:
    """Peaks of a stream of blocks, one every `frame` samples, whatever the blocks' lengths."""

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self.total = 0
        self._parts: list[np.ndarray] = []
        self._rest = np.zeros(0, np.float32)

    def add(self, block: np.ndarray) -> None:
        self.total += len(block)
        magnitude = np.concatenate([self._rest, np.abs(block)])
        whole = len(magnitude) // self.frame * self.frame
        self._parts.append(magnitude[:whole].reshape(-1, self.frame).max(axis=1))
        self._rest = magnitude[whole:]

    def peaks(self) -> np.ndarray:
        last = self._rest.max(keepdims=True) if len(self._rest) else self._rest
        return np.concatenate([*self._parts, last])


def _watched(
    blocks: Iterable[np.ndarray], envelope: _Envelope, progress: Any, sample_rate: int
) -> Iterator[np.ndarray]:
    """Pass blocks on, noting their envelope and how far the file has been heard."""
    for block in blocks:
        envelope.add(block)
        yield block
        progress.update(len(block) / sample_rate)
