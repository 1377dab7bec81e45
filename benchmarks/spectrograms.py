"""Spectrograms: clips per second, ours in batches against librosa called clip by clip, one process each.

python -m benchmarks.spectrograms
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import librosa
import librosa.decompose as decompose
import numpy as np
from scipy.ndimage import zoom
from threadpoolctl import threadpool_limits

from benchmarks import side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec import features, params
from instrec.params import ClipParams, SpectrogramParams

CLIPS, ROUNDS = 16, 5

Naive = Callable[[np.ndarray, ClipParams, SpectrogramParams], object]


def log_mel(y: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    spectrum = librosa.stft(y, n_fft=spectrogram.window, hop_length=spectrogram.hop)
    return in_decibels(np.abs(spectrum), clip, spectrogram)


def in_decibels(magnitude: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        S=magnitude**2,
        sr=clip.sample_rate,
        n_fft=spectrogram.window,
        n_mels=spectrogram.mels,
        fmin=spectrogram.min_hz,
        fmax=spectrogram.max_hz,
    )
    return librosa.power_to_db(power, ref=np.max, top_db=spectrogram.floor_db)


def multi_resolution(y: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    windows = (spectrogram.window * times for times in (1, 2, 4))
    return np.stack([log_mel(y, clip, replace(spectrogram, window=window)) for window in windows])


def image(y: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    image = log_mel(y, clip, spectrogram)
    return np.stack([zoom(image, [spectrogram.pixels / size for size in image.shape], order=1)] * 3)


def harmonic_percussive(y: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    magnitude = np.abs(librosa.stft(y, n_fft=spectrogram.window, hop_length=spectrogram.hop))
    return np.stack([in_decibels(part, clip, spectrogram) for part in decompose.hpss(magnitude)])


def solo_accompaniment(y: np.ndarray, clip: ClipParams, spectrogram: SpectrogramParams) -> np.ndarray:
    """As in librosa's example of vocal separation."""
    magnitude = np.abs(librosa.stft(y, n_fft=spectrogram.window, hop_length=spectrogram.hop))
    width = magnitude.shape[1] // 4
    repeating = decompose.nn_filter(magnitude, aggregate=np.median, metric="cosine", width=width)
    repeating = np.minimum(repeating, magnitude)
    accompaniment = magnitude * librosa.util.softmask(repeating, magnitude - repeating, power=2)
    return np.stack([in_decibels(part, clip, spectrogram) for part in (magnitude - accompaniment, accompaniment)])


def contenders(default: SpectrogramParams) -> dict[str, tuple[SpectrogramParams, Naive | None]]:
    """What is timed, and how librosa would be asked for it, where it can be."""
    phase = replace(default, name="phase_image", window=512, min_hz=100.0, max_hz=10000.0, pixels=227)
    return {
        "log_mel": (default, log_mel),
        "log_mel, 1024/512, 128": (replace(default, window=1024, hop=512, mels=128), log_mel),
        "multi_resolution": (replace(default, name="multi_resolution"), multi_resolution),
        "image, 150 pixels": (replace(default, name="image", pixels=150), image),
        "harmonic_percussive": (replace(default, part="harmonic_percussive"), harmonic_percussive),
        "solo_accompaniment": (replace(default, part="solo_accompaniment"), solo_accompaniment),
        "phase_image, 227 pixels": (phase, None),
    }


def compared() -> Iterator[Row]:
    parameters = params.load(ROOT / "params.yaml")
    y = 0.1 * np.random.default_rng(0).standard_normal((CLIPS, parameters.clip.samples)).astype(np.float32)
    # On a busy machine librosa's matrix products wait for one another's threads and fall to a tenth of their speed,
    # which would flatter us; on an idle one per second thread gives them nothing.
    threadpool_limits(1)
    for name, (spectrogram, naive) in contenders(parameters.spectrogram).items():
        ours = features.from_params(parameters.clip, spectrogram)
        works: dict[str, Callable[[], object]] = {
            "instrec": partial(ours.batch, y),
            "instrec, one thread": partial(ours.batch, y, threads=1),
        }
        if naive:
            works["librosa"] = partial(each, y, naive, parameters.clip, spectrogram)
        rates = {who: partial(clips_per_second, work) for who, work in works.items()}
        yield from side_by_side.rows(name, "clips/s", rates, ROUNDS)


def each(y: np.ndarray, naive: Naive, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
    for one in y:
        naive(one, clip, spectrogram)


def clips_per_second(work: Callable[[], object]) -> float:
    return CLIPS / side_by_side.seconds(work)


if __name__ == "__main__":
    side_by_side.shown(compared())
