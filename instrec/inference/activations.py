"""How a model hears a file of any length: block by block, cut into overlapping windows, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from instrec import features
from instrec.audio import decoding, loudness, windowing
from instrec.errors import UserError, shown
from instrec.models.classifier import Classifier
from instrec.params import ClipParams

MIN_HOP_SECONDS = 0.1
BATCH = 16  # windows; twice as many are no faster, and take 25 MiB more

_FRAMES_PER_SECOND = 100  # of the waveform's envelope
_CELLS_PER_SECOND = 10  # of the timeline


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
    presence : np.ndarray [shape=(windows, classes), float32, 0..1], zero in silent windows; what a model that counts
        gives elsewhere is times the probability that any instrument sounds.
    rms : np.ndarray [shape=(windows,)], level of each window, 0..1.
    envelope : np.ndarray [shape=(frames,)], highest magnitude in every `frame` samples.
    frame : length of a frame of the envelope.
    loudest : RMS level of the loudest frame, 0..1.
    facts : what decoding has found out about the file.
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
        """How many of them the file has; the last may be shorter."""
        return -(-self.total // self.cell)

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
        """What should be known of the file before the prediction is believed, one line each."""
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


def listen(
    path: Path | str,
    classifier: Classifier,
    *,
    hop_seconds: float | None = None,
    hop_share: float = 0.5,
    track: int | None = None,
    progress: Callable[[float], Any] | None = None,
) -> Listening:
    """Stream a file through the model, window by window, in memory that does not grow with its length.

    The last window ends where the file ends; a file shorter than a window is padded with silence.

    Parameters
    ----------
    hop_seconds : from window to window; by default, `hop_share` of a window.
    track : which audio track of the file, from 1 on; see `audio.blocks`.
    progress : called with every so many seconds of audio that were heard.

    Raises
    ------
    UserError
        If the file cannot be read as audio, or the hop is not between 0.1 s and a window.
    """
    clip = classifier.card.clip
    hop = windowing.hop_samples(clip, hop_share) if hop_seconds is None else hop_samples(clip, hop_seconds)
    envelope, facts = loudness.Envelope(clip.sample_rate // _FRAMES_PER_SECOND), decoding.Facts()
    decoded = decoding.blocks(Path(path), clip.sample_rate, track=track, facts=facts)
    blocks = _watched(decoded, envelope, progress, clip.sample_rate)
    onsets, presence, rms = _hear(windowing.windows(blocks, clip.samples, hop, ends_with_signal=True), classifier)
    if not envelope.total:
        raise UserError(
            "audio-too-short", path, f"too short to hold a sample at {clip.sample_rate} Hz; give a longer file"
        )
    heard = Listening(
        file=shown(path),
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
        loudest=envelope.loudest,
        facts=facts,
    )
    presence[heard.silent] = 0  # how loud the file is was not known before
    return heard


def hop_samples(clip: ClipParams, hop_seconds: float) -> int:
    """Return the hop between windows in samples.

    Raises
    ------
    UserError
        If it is not between 0.1 s and a window.
    """
    if not MIN_HOP_SECONDS <= hop_seconds <= clip.seconds:
        raise UserError(
            "value-out-of-range",
            f"hop of {hop_seconds:g} s",
            f"allowed is {MIN_HOP_SECONDS:g} to {clip.seconds:g}, a window",
        )
    return round(hop_seconds * clip.sample_rate)


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Return the highest of each of `most` equal stretches along the first axis; all values where there are no more."""
    parts = min(most, len(values))
    return np.asarray(np.maximum.reduceat(values, np.arange(parts) * len(values) // parts))


def _hear(cut: Iterator[tuple[int, np.ndarray]], classifier: Classifier) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return onsets, presence and RMS of every window; the model is asked only about those that may sound."""
    card, faintest = classifier.card, 10 ** (loudness.DITHER_RMS_DBFS / 20)
    representation = features.from_params(card.clip, card.spectrogram)
    onsets: list[int] = []
    levels: list[float] = []
    parts = [np.zeros((0, len(card.classes)), np.float32)]
    while batch := tuple(islice(cut, BATCH)):
        rms = np.array([loudness.rms(y) for _, y in batch])
        clips = np.zeros((len(batch), card.clip.samples), np.float32)
        for row, (_, y) in zip(clips, batch, strict=True):
            row[: len(y)] = y
        presence = np.zeros((len(batch), len(card.classes)), np.float32)
        loud = rms >= faintest
        if loud.any():
            presence[loud], count = classifier.predict(representation.batch(clips[loud]))
            if count is not None:  # noise is named more readily than it is counted
                presence[loud] *= 1 - count[:, :1]
        onsets += [onset for onset, _ in batch]
        levels += rms.tolist()
        parts.append(presence)
    return np.array(onsets, np.int64), np.concatenate(parts), np.array(levels)


def _watched(
    blocks: Iterable[np.ndarray], envelope: loudness.Envelope, progress: Callable[[float], Any] | None, sample_rate: int
) -> Iterator[np.ndarray]:
    """Pass blocks on, noting their envelope and how far the file has been heard."""
    for block in blocks:
        envelope.add(block)
        yield block
        if progress:
            progress(len(block) / sample_rate)
