"""Audio: two seconds of tones in every container and codec that PyAV writes."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from random import Random

import av
import numpy as np

from tests.fuzz import mutations
from tests.fuzz.harness import Format

RATE = 16000
_SECONDS = 2
_LONGEST_SECONDS = 600  # that the few kilobytes can hold: a mutated header may halve the rate many times
_KINDS = {  # ending: container, codec, sample rate
    "16.wav": ("wav", "pcm_s16le", RATE),
    "8.wav": ("wav", "pcm_u8", 8000),
    "24.wav": ("wav", "pcm_s24le", RATE),
    "float.wav": ("wav", "pcm_f32le", RATE),
    "w64": ("w64", "pcm_s16le", RATE),
    "flac": ("flac", "flac", RATE),
    "mp3": ("mp3", "libmp3lame", RATE),
    "vorbis.ogg": ("ogg", "vorbis", RATE),
    "opus": ("ogg", "libopus", 48000),
    "aiff": ("aiff", "pcm_s16be", RATE),
    "m4a": ("ipod", "aac", RATE),
    "alac.m4a": ("ipod", "alac", RATE),
    "aac": ("adts", "aac", RATE),
    "wma": ("asf", "wmav2", RATE),
    "webm": ("webm", "libopus", 48000),
    "mka": ("matroska", "pcm_s24le", RATE),
    "au": ("au", "pcm_s16be", RATE),
    "caf": ("caf", "pcm_s16le", RATE),
    "wv": ("wv", "wavpack", RATE),
}


def _written(container: str, codec: str, rate: int) -> bytes:
    """Two channels of different tones; without what differs from one writing to the next."""
    t = np.arange(_SECONDS * rate) / rate
    sound = 0.4 * np.stack([np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 660 * t)]).astype(np.float32)
    target = io.BytesIO()
    with av.open(target, "w", format=container, options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream(codec, rate=rate, layout="stereo", options={"strict": "experimental"})
        stream.bit_rate = 64_000  # which lossless ones pass over
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.codec_context.format, "stereo", rate, stream.codec_context.frame_size or 0)
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            file.mux(stream.encode(piece))
    return target.getvalue()


@functools.cache
def seeds() -> dict[str, bytes]:
    return {f"sound.{ending}": _written(*kind) for ending, kind in _KINDS.items()}


def right(y: np.ndarray) -> None:
    """See that samples can be sound."""
    assert y.dtype == np.float32, y.dtype
    assert y.ndim == 1, y.shape
    assert np.isfinite(y).all(), "samples that are not numbers"
    assert np.abs(y).max(initial=0.0) <= 1.0, "samples beyond full scale"


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.audio import decoding
    from instrec.corpus import recordings
    from instrec.corpus.index import RECORDINGS, Entry

    way = random.choice(("blocks", "load", "measured"))
    if way == "blocks":
        count = 0
        for y in decoding.blocks(path, RATE, block_seconds=1.0):
            right(y)
            assert 0 < len(y) <= RATE, len(y)
            count += len(y)
            assert count <= _LONGEST_SECONDS * RATE, "longer than the file can be"
        assert count, "neither samples nor an error"
        if path.read_bytes() == before:
            assert abs(count / RATE - _SECONDS) < 0.2, count
    elif way == "load":
        onset = random.choice((0.0, 0.5, 1.25))
        y = decoding.load(path, RATE, onset=onset, seconds=0.5)
        right(y)
        assert len(y) <= RATE // 2, len(y)
    else:
        found = recordings.measured(Entry(RECORDINGS, path.as_posix(), 0.0, 0.0, ("piano",), "song"))
        if isinstance(found, Entry):
            assert 0 < found.duration <= _LONGEST_SECONDS, found
        else:
            assert found.reason, found


AUDIO = Format(300, seeds, mutations.binary, _read, ("instrec.audio.packets", "instrec.audio.completeness"))
