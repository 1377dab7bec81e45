"""Audio files that libsndfile cannot write, that end too early, or whose disk fails."""

import os
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition


def encode(
    path: Path,
    codec: str,
    *tracks: np.ndarray,
    rate: int = 44100,
    form: str | None = None,
    default: int = 0,
    **options: str,
) -> Path:
    """Write mono tracks [shape=(samples,)] of one codec; `default` is the index of the default one."""
    with av.open(str(path), "w", format=form, options=options) as container:
        streams = [container.add_stream(codec, rate=rate, layout="mono") for _ in tracks]
        for index, stream in enumerate(streams):
            stream.bit_rate = 96000
            stream.disposition = Disposition.default if index == default else Disposition(0)
        for second in range(-(-max(map(len, tracks)) // rate)):  # side by side, as a film has them
            for stream, y in zip(streams, tracks, strict=True):
                _mux(container, stream, y[second * rate : (second + 1) * rate], second * rate)
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def _mux(container: OutputContainer, stream: AudioStream, y: np.ndarray, start: int) -> None:
    if not len(y):
        return
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=stream.rate)
    frame = av.AudioFrame.from_ndarray(y[np.newaxis].astype(np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = stream.rate, start
    for each in resampler.resample(frame):
        container.mux(stream.encode(each))


def cut(path: Path, share: float = 0.6) -> Path:
    """Keep the first part of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    return path


def fail_from_now_on(path: Path) -> None:
    """Let every read of an open file fail with EIO, as a disk does: the kernel has nothing at a process's address 0."""
    failing = os.open("/proc/self/mem", os.O_RDONLY)
    for each in Path("/proc/self/fd").iterdir():
        if each.is_symlink() and each.readlink() == path:
            os.dup2(failing, int(each.name))
    os.close(failing)
