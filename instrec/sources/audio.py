"""Decoding: any audio file to mono float32 at one sample rate, in bounded memory whatever its length.

PyAV (FFmpeg) decodes, soxr resamples. What FFmpeg may open is limited to plain local audio files: no
playlist or address inside a file can make it read another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import soxr
from av import AudioFrame
from av.audio import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from instrec.errors import UserError

Audio = NDArray[np.float32]

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("wav", "wave", "w64", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc"),
        *("m4a", "mp4", "aac", "wma", "webm", "mka", "au", "caf", "wv"),
    )
)
"""File name endings, in lower case, that count as audio where a folder is searched."""

_FORMATS = "wav,w64,flac,ogg,mp3,aiff,mov,mp4,aac,asf,matroska,webm,au,caf,wv"
_EXACT_SEEKING = frozenset({"wav", "w64", "flac", "ogg", "mp3", "aiff"})  # the others are decoded from their beginning
_PREROLL_SECONDS = 1  # decoded before an onset: codecs and the resampler's filter need a past


def blocks(path: Path | str, sample_rate: int, *, block_seconds: float = 30.0) -> Iterator[Audio]:
    """Decode a file block by block; memory does not grow with its length.

    Parameters
    ----------
    path : a file in a format of `SUFFIXES`, whatever its ending.
    sample_rate : of what is given back, in Hz.
    block_seconds : length of every block but the last, which is shorter and never empty.

    Yields
    ------
    y : np.ndarray [shape=(samples,)], float32 in -1..1: the mean of all channels, resampled. What the
        file has beyond full scale is clipped.

    Raises
    ------
    UserError
        Naming the file, when it is missing, a folder, empty, not audio, without a decodable sample, or
        holds samples that are not numbers. Damaged stretches inside a file are left out.
    """
    size = max(1, round(block_seconds * sample_rate))
    held: list[Audio] = []
    count = 0
    for y in _stream(Path(path), sample_rate, 0):
        held.append(y)
        count += len(y)
        if count >= size:
            whole = np.concatenate(held)
            for start in range(0, count - size + 1, size):
                yield whole[start : start + size]
            held = [whole[count - count % size :].copy()]
            count %= size
    if count:
        yield np.concatenate(held)


def load(path: Path | str, sample_rate: int, *, onset: float = 0.0, seconds: float | None = None) -> Audio:
    """Decode a file or a stretch of it.

    Parameters
    ----------
    path : a file in a format of `SUFFIXES`, whatever its ending.
    sample_rate : of what is given back, in Hz.
    onset : where to start, in seconds.
    seconds : how much to give, to the end when None.

    Returns
    -------
    y : np.ndarray [shape=(samples,)], float32 in -1..1, as from `blocks`; shorter, or empty, at the end.

    Raises
    ------
    UserError
        As `blocks` does.
    """
    start = max(0, int(onset) - _PREROLL_SECONDS)
    first = round((onset - start) * sample_rate)
    last = None if seconds is None else first + round(seconds * sample_rate)
    held: list[Audio] = []
    count = 0
    for y in _stream(Path(path), sample_rate, start):
        held.append(y)
        count += len(y)
        if last is not None and count >= last:
            break
    return np.concatenate(held)[first:last] if held else np.zeros(0, dtype=np.float32)


def length_and_peak(path: Path | str) -> tuple[float, float]:
    """Give a file's length in seconds and its highest level, having decoded all of it; see `blocks` for errors."""
    lengths: Counter[int] = Counter()
    peak = 0.0
    for rate, y in _decoded(Path(path), 0):
        lengths[rate] += len(y)
        peak = max(peak, float(np.abs(y).max(initial=0.0)))
    if not lengths.total():
        raise _undecodable(path)
    return sum(samples / rate for rate, samples in lengths.items()), peak


def _undecodable(path: Path | str) -> UserError:
    return UserError(f"{path}: no audio can be decoded: damaged, cut off or too short; replace or remove it")


def _stream(path: Path, sample_rate: int, start: int) -> Iterator[Audio]:
    """Give the mono, resampled signal from `start` on, in pieces of about a second.

    `start` is a whole second, where the sample grids of every two rates meet: so a stretch of a file holds
    the same samples as the same stretch of the whole file.
    """
    empty = True
    # A rate may change within a file (chained Ogg streams): each stretch has its own resampler.
    for rate, stretch in groupby(_decoded(path, start), key=lambda item: item[0]):
        for y in _resampled((piece for _, piece in stretch), rate, sample_rate):
            empty = False
            yield np.clip(y, -1.0, 1.0, out=y)
    if empty and start == 0:
        raise _undecodable(path)


def _resampled(pieces: Iterable[Audio], rate: int, sample_rate: int) -> Iterator[Audio]:
    resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32") if rate != sample_rate else None
    for piece in _gathered(pieces, rate):
        y = resampler.resample_chunk(piece) if resampler else piece
        if len(y):
            yield y
    if resampler:
        y = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        if len(y):
            yield y


def _gathered(pieces: Iterable[Audio], size: int) -> Iterator[Audio]:
    """Join short pieces until there are `size` samples."""
    held: list[Audio] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count >= size:
            yield np.concatenate(held)
            held, count = [], 0
    if count:
        yield np.concatenate(held)


def _decoded(path: Path, start: int) -> Iterator[tuple[int, Audio]]:
    """Give (sample rate, mono samples), a codec frame at a time, from second `start` on."""
    with _opened(path) as container:
        stream = container.streams.audio[0]
        begin = float((stream.start_time or 0) * (stream.time_base or 0))
        position = None if start and container.format.name in _EXACT_SEEKING else 0
        if position is None:
            with suppress(av.FFmpegError):  # past the end, say: then decoding goes on from where it stands
                container.seek(int((begin + start - _PREROLL_SECONDS) * av.time_base))
        for frame in _frames(container, stream):
            try:
                y = _mono(frame)
            except ValueError as error:  # samples of a kind that NumPy is not given, 64-bit integers say
                raise _undecodable(path) from error
            if not np.isfinite(y).all():
                raise UserError(f"{path}: holds samples that are not numbers (NaN or infinite); write it again")
            if position is None:
                position = round(((frame.time or 0.0) - begin) * frame.sample_rate)
            skipped = start * frame.sample_rate - position
            position += len(y)
            if skipped < len(y):
                yield frame.sample_rate, y[max(0, skipped) :]


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        empty = path.stat().st_size == 0
    except OSError as error:  # missing, mostly
        raise UserError(f"{path}: {(error.strerror or str(error)).lower()}; check the name") from error
    if not path.is_file():
        raise UserError(f"{path}: not a file; name an audio file")
    if empty:
        raise UserError(f"{path}: is empty; replace or remove it")
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        # `file:` keeps a colon in the name from being read as a protocol.
        container = av.open(f"file:{path}", options=options, metadata_errors="ignore")
    except av.FFmpegError as error:
        raise UserError(
            f"{path}: not an audio file that can be decoded ({error.strerror}); replace or remove it"
        ) from error
    with container:
        if not container.streams.audio:
            raise UserError(f"{path}: holds no audio; replace or remove it")
        yield container


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decode packet by packet; one that is damaged, or that there is no decoder for, is left out, as players do."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _mono(frame: AudioFrame) -> Audio:
    """Mix a frame down to the mean of its channels, full scale being 1."""
    y = frame.to_ndarray()
    unsigned = y.dtype.kind == "u"
    scale = 1 if y.dtype.kind == "f" else 2 ** (8 * y.dtype.itemsize - 1)
    channels = frame.layout.nb_channels
    # A product with equal weights takes an eighth of the time of a mean over so short an axis.
    weights = np.full(channels, 1 / (channels * scale), dtype=np.float32)
    y = y.astype(np.float32, copy=False)
    mean: Audio = weights @ y if frame.format.is_planar else y.reshape(-1, channels) @ weights
    return mean - 1 if unsigned else mean
