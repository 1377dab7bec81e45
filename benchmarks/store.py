"""What HDF5 chunks and compressions cost on rendered audio and its spectra: size, writing and reading.

python -m benchmarks.store
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from instrec import features, params
from instrec.corpus.manifest import CLEAN, NOISY, SCORE, Clip
from instrec.synthesis import rendering
from instrec.util import hdf5

RENDERED, ROWS, BATCH = 256, 1024, 64
COMPRESSIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "lzf": {"compression": "lzf"},
    "gzip-1": {"compression": "gzip", "compression_opts": 1},
    "gzip-4": {"compression": "gzip", "compression_opts": 4},
    "shuffle+lzf": {"compression": "lzf", "shuffle": True},
    "shuffle+gzip-1": {"compression": "gzip", "compression_opts": 1, "shuffle": True},
    "shuffle+gzip-4": {"compression": "gzip", "compression_opts": 4, "shuffle": True},
}


def rendered(parameters: params.Params) -> np.ndarray:
    """Render solo clips of every class, three of four noisy, as the pipeline would."""
    renderer = rendering.Renderer(parameters, Path("data"))
    clips = []
    for number in range(RENDERED):
        name = parameters.classes[number % len(parameters.classes)]
        font = parameters.soundfonts.train[number % len(parameters.soundfonts.train)]
        noise = NOISY if number % 4 else CLEAN
        id_ = f"benchmark/{number}"
        clips.append(Clip(id_, "benchmark", SCORE, "", 0.0, (name,), id_, font, noise, parameters.seed))
    return np.stack([renderer(clip) for clip in clips])


def measure(path: Path, rows: np.ndarray, compression: str, chunk_rows: int) -> str:
    ids = [str(number) for number in range(len(rows))]
    start = time.perf_counter()
    with hdf5.create(
        path,
        name="benchmark",
        shape=rows.shape[1:],
        dtype=rows.dtype,
        ids=ids,
        labels=np.zeros((len(rows), 1), np.uint8),
        classes=("none",),
        chunk_rows=chunk_rows,
        compression=COMPRESSIONS[compression],
    ) as writer:
        for first in range(0, len(rows), BATCH):
            writer.append(rows[first : first + BATCH])
    written = time.perf_counter() - start
    with hdf5.open_store(path) as reader:
        start = time.perf_counter()
        for _ in reader.batches(BATCH):
            pass
        sequential = len(rows) / (time.perf_counter() - start)
        order = np.random.default_rng(0).permutation(len(rows))[: 4 * BATCH]
        start = time.perf_counter()
        for first in range(0, len(order), BATCH):
            reader.read_rows(np.sort(order[first : first + BATCH]))
        shuffled = len(order) / (time.perf_counter() - start)
    size = path.stat().st_size / rows.nbytes
    return f"{size:6.3f} {written:8.2f} {sequential:11.0f} {shuffled:11.0f}"


def main() -> None:
    parameters = params.load(Path(__file__).parents[1] / "params.yaml")
    audio = rendered(parameters)
    representation = features.from_params(parameters.clip, parameters.spectrogram)
    spectra = representation.batch(audio.astype(np.float32) / np.float32(32768)).astype(np.float16)
    print("rows      rows/chunk compression       size  write s  read clips/s  shuffled clips/s")
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in {"audio": audio, "features": spectra}.items():
            tiled = np.tile(rows, (ROWS // RENDERED, *[1] * (rows.ndim - 1)))
            for chunk_rows in (1, 16, 64):
                for compression in COMPRESSIONS:
                    figures = measure(Path(folder) / "store.h5", tiled, compression, chunk_rows)
                    print(f"{name:9} {chunk_rows:6}     {compression:15} {figures}", flush=True)


if __name__ == "__main__":
    main()
