"""Mel spectrograms: clips a second, ours in batches against librosa called a clip, one process each.

python -m benchmarks.spectrograms
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
from threadpoolctl import threadpool_limits

from instrec import params, spectrograms

CLIPS, ROUNDS = 64, 9


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    knobs = params.load(Path(__file__).parents[1] / "params.yaml")
    clip, spectrogram = knobs.clip, knobs.spectrogram
    y = np.random.default_rng(0).standard_normal((CLIPS, clip.samples)).astype(np.float32)
    ours = spectrograms.from_params(clip, spectrogram)

    def theirs() -> None:
        for one in y:
            power = librosa.feature.melspectrogram(
                y=one,
                sr=clip.sample_rate,
                n_fft=spectrogram.window,
                hop_length=spectrogram.hop,
                n_mels=spectrogram.mels,
                fmin=spectrogram.min_hz,
                fmax=spectrogram.max_hz,
            )
            librosa.power_to_db(power, ref=np.max, top_db=spectrogram.floor_db)

    contenders = {
        "librosa, a clip": theirs,
        "instrec, one thread": lambda: ours.batch(y, threads=1),
        "instrec": lambda: ours.batch(y),
    }
    # On a busy machine librosa's matrix products wait for one another's threads and fall to a tenth of their speed,
    # which would flatter us; on an idle one a second thread gives them nothing.
    threadpool_limits(1)
    for work in contenders.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):  # in turn, so that a busy machine slows all alike
        for name, work in contenders.items():
            times[name].append(seconds(work))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:22}{CLIPS / median:8.0f} clips/s")
    print(f"ratio {medians['librosa, a clip'] / medians['instrec']:.2f}")


if __name__ == "__main__":
    main()
