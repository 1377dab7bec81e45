"""Decode one audio track of a file to mono at its own rate, and collect facts about the file.

PyAV (FFmpeg) decodes. FFmpeg may only open common audio formats, and reads the file only through `_File`. So no
playlist or URL inside a file can make it read another file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av import AudioFrame
from av.audio import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from instrec.audio import completeness
from instrec.audio.downmix import Audio, Frame, centered, mixed
from instrec.errors import UserError

RATES = (1000, 768_000)
"""Lowest and highest sample rate in Hz. Outside of it, resampling takes forever."""

_FORMATS = "wav,w64,flac,ogg,mp3,aiff,mov,mp4,aac,asf,matroska,webm,au,caf,wv"
_EXACT_SEEKING = frozenset({"wav", "w64", "flac", "ogg", "mp3", "aiff"})  # the others are decoded from their beginning
_PREROLL_SECONDS = 1  # decoded before an onset: codecs need a past
_BUFFER = 1 << 16  # bytes read at once
_PROBED_SECONDS = 60  # of each track, until one is found that sounds
_PROBED_TRACKS = 16
_FAINTEST = 1e-4  # -80 dBFS, which the dither of 16 bits does not reach
_ALWAYS_SECONDS, _SECONDS_PER_BYTE = 3600, 0.1  # silence in FLAC or Opus at 8 kHz takes half of it
_MISSED_SECONDS = 0.25  # what encoders add and decoders take away at both ends is less


@dataclass
class Facts:
    """Facts about a file; complete when it is decoded to its end.

    Attributes
    ----------
    track, tracks : number of the decoded audio track, from 1, and number of tracks.
    asked : whether the user chose the track.
    sample_rate : of that track, in Hz; 0 before anything of it is decoded.
    seconds : decoded so far.
    claimed_seconds : length in the header; None if it has none.
    whole : whether the file is complete, by its structure; None if the claimed length decides.
    """

    track: int = 1
    tracks: int = 1
    asked: bool = False
    sample_rate: int = 0
    seconds: float = 0.0
    claimed_seconds: float | None = None
    whole: bool | None = True

    @property
    def complete(self) -> bool:
        """Return whether the file is complete."""
        return not self.claims_more if self.whole is None else self.whole

    @property
    def claims_more(self) -> bool:
        """Return whether the file claims to be longer than what was decoded."""
        return (self.claimed_seconds or 0.0) > self.seconds + _MISSED_SECONDS


def decoded(
    path: Path, start: int, *, track: int | None = None, facts: Facts | None = None
) -> Iterator[tuple[int, Audio]]:
    """Return (sample rate, mono samples) of about a second each, from second `start` on.

    Parameters
    ----------
    track : number of the audio track, from 1; by default, the default track, or the first that is not silent.
    facts : filled with facts about the file.

    Raises
    ------
    UserError
        As in `decoding.blocks`.
    """
    facts = Facts() if facts is None else facts
    with _opened(path) as (container, file):
        streams = container.streams.audio
        facts.tracks, facts.asked = len(streams), track is not None
        if track is not None and not 1 <= track <= len(streams):
            raise UserError("track-unknown", path, f"has no audio track {track}; allowed is 1 to {len(streams)}")
        facts.track = track or (_sounding(path, streams) if len(streams) > 1 else 1)
        stream = streams[facts.track - 1]
        facts.claimed_seconds, facts.whole = _claimed(container, stream), file.whole
        for rate, y in mixed(_frames(path, container, stream, file, start)):
            if not np.isfinite(y).all():
                raise UserError(
                    "audio-not-finite", path, "holds samples that are not numbers (NaN or infinite); write it again"
                )
            facts.sample_rate = rate
            facts.seconds += len(y) / rate
            if facts.seconds > max(_ALWAYS_SECONDS, _SECONDS_PER_BYTE * file.size):
                raise UserError(
                    "audio-too-long",
                    path,
                    f"claims more than {facts.seconds / 3600:.1f} hours in {file.size} bytes; allowed is "
                    f"{_ALWAYS_SECONDS / 3600:g} hour, or {_SECONDS_PER_BYTE:g} s a byte; replace or remove it",
                )
            yield rate, y


def undecodable(path: Path | str) -> UserError:
    """Return the error for a file without samples."""
    return UserError(
        "audio-undecodable", path, "no audio can be decoded: damaged, cut off or too short; replace or remove it"
    )


class _File(io.FileIO):
    """A file that remembers read errors: FFmpeg takes them for the end of the file.

    Attributes
    ----------
    size : in bytes.
    whole : from `completeness.is_whole`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._error: OSError | None = None
        self.size = self.seek(0, io.SEEK_END)
        self.whole = completeness.is_whole(self, self.size)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size) or b""
        except OSError as error:
            self._error = error
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError):  # a damaged file asks for a place before its own start
            return -1

    def check(self) -> None:
        """Raise the read error, if there was one."""
        if self._error:
            reason = (self._error.strerror or str(self._error)).lower()
            raise UserError(
                "file-unreadable",
                self.name,
                f"cannot be read to its end: {reason}; check the disk or network share, then try again",
            ) from self._error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, _File]]:
    try:
        empty = path.stat().st_size == 0
        if not path.is_file():
            raise UserError("not-a-file", path, "not a file; name an audio file")
        file = _File(path)
    except (OSError, ValueError) as error:  # missing, mostly; a name with a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError("file-unreadable", path, f"{reason.lower()}; check the name") from error
    with file:
        if empty:
            raise UserError("file-empty", path, "is empty; replace or remove it")
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
        try:
            container = av.open(file, "r", options=options, metadata_errors="ignore", buffer_size=_BUFFER)
        except av.FFmpegError as error:
            file.check()
            raise UserError(
                "audio-undecodable",
                path,
                f"not an audio file that can be decoded ({error.strerror}); replace or remove it",
            ) from error
        with container:
            file.check()
            if not container.streams.audio:
                raise UserError("audio-missing", path, "holds no audio; replace or remove it")
            yield container, file


def _sounding(path: Path, streams: tuple[AudioStream, ...]) -> int:
    """Return the number of the default track, from 1, or of the first that is not silent.

    Each is decoded for at most a minute. If all are silent, the result is the default track.
    """
    tracks = sorted(range(len(streams)), key=lambda index: not streams[index].disposition & Disposition.default)
    for index in tracks[:_PROBED_TRACKS]:
        with _opened(path) as (container, file):
            seconds = 0.0
            for rate, y in mixed(_frames(path, container, container.streams.audio[index], file, 0)):
                if np.abs(y).max() > _FAINTEST:
                    return index + 1
                seconds += len(y) / rate
                if seconds >= _PROBED_SECONDS:
                    break
    return tracks[0] + 1


def _claimed(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _frames(path: Path, container: InputContainer, stream: AudioStream, file: _File, start: int) -> Iterator[Frame]:
    """Decode a track from second `start` on."""
    begin = float((stream.start_time or 0) * (stream.time_base or 0))
    position = None if start and container.format.name in _EXACT_SEEKING else 0
    if position is None:
        with suppress(av.FFmpegError):  # behind the end: decoding goes on from where it stands
            container.seek(int((begin + start - _PREROLL_SECONDS) * av.time_base))
    for frame in _packets(container, stream, file):
        rate = frame.sample_rate
        if not RATES[0] <= rate <= RATES[1]:
            raise UserError(
                "value-out-of-range", path, f"has a sample rate of {rate} Hz; allowed is {RATES[0]} to {RATES[1]}"
            )
        try:
            samples, scale = centered(frame.to_ndarray())
        except ValueError as error:  # samples of a kind that NumPy is not given, such as 64-bit integers
            raise undecodable(path) from error
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        if position is None:
            position = round(((frame.time or 0.0) - begin) * rate)
        skipped = max(0, start * rate - position)
        if skipped < samples.shape[1]:
            yield Frame(rate, position + skipped, samples[:, skipped:], scale)
        position += samples.shape[1]


def _packets(container: InputContainer, stream: AudioStream, file: _File) -> Iterator[AudioFrame]:
    """Decode packet by packet; leave out those that are damaged or have no decoder, as players do."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            file.check()
            if packet is None:
                return
            yield from packet.decode()
        except av.FFmpegError:
            file.check()
