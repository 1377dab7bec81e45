"""The representations: what a model sees of a clip. All keep the contract of `Representation`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from tqdm import tqdm

from instrec import store
from instrec.errors import UserError
from instrec.params import ClipParams, SpectrogramParams

FloatArray = NDArray[np.float32]

_SILENCE = 1e-10  # power; librosa.power_to_db's own floor
_BATCH = 64  # clips in memory at a time


class Representation(ABC):
    """Turns a clip into a picture: (samples,) -> (frames, bins, channels), float32 from 0 to 1.

    What holds for every one of them:

    - a clip shorter than `samples` is filled up with silence behind; a longer one is an error;
    - silence gives zeros, and nothing gives NaN;
    - the same clip gives the same bytes, alone or in a batch, whatever the number of threads.

    Attributes
    ----------
    samples : length of a clip.
    shape : (frames, bins, channels) of its picture.
    """

    def __init__(self, samples: int, shape: tuple[int, int, int]) -> None:
        self.samples = samples
        self.shape = shape

    def __call__(self, y: FloatArray) -> FloatArray:
        """Transform one clip, y : np.ndarray [shape=(samples,)], into shape (frames, bins, channels).

        Raises
        ------
        ValueError
            When y is longer than a clip, or not of one dimension, or holds NaN or infinity.
        """
        picture: FloatArray = self.batch(np.asarray(y)[np.newaxis], threads=1)[0]
        return picture

    def batch(self, y: FloatArray, *, threads: int | None = None) -> FloatArray:
        """Transform clips, y : np.ndarray [shape=(clips, samples)], to (clips, frames, bins, channels).

        `threads` defaults to one a core. Raises as a single clip does.
        """
        y = np.asarray(y)
        if y.ndim != 2 or y.shape[1] > self.samples:
            raise ValueError(f"a clip has at most {self.samples} samples in one dimension, not {y.shape[1:]}")
        pictures = np.empty((len(y), *self.shape), dtype=np.float32)
        threads = threads or len(os.sched_getaffinity(0))

        def work(first: int) -> None:
            for index in range(first, len(y), threads):
                clip = np.zeros(self.samples, dtype=np.float32)
                clip[: y.shape[1]] = y[index]
                if not np.isfinite(clip).all():
                    raise ValueError(f"clip {index} of the batch holds NaN or infinity")
                pictures[index] = self._transform(clip)

        if threads == 1:
            work(0)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, range(threads)))
        return pictures

    @abstractmethod
    def _transform(self, y: FloatArray) -> FloatArray:
        """Transform exactly `samples` finite samples into `shape`; called from several threads at once."""


class LogMel(Representation):
    """Mel bands in decibels under the clip's own loudest point, `-floor_db`..0 scaled to 0..1; one channel.

    Up to that scaling it is librosa's `power_to_db(melspectrogram(...), ref=np.max, top_db=floor_db)` with a
    centred Hann window, zero padding and Slaney's mel scale. Working a clip at a time stays in a core's
    cache, and the filter bank is sparse: both matter more than batching. Loudness cancels out, down to where
    librosa's own floor ends it: a clip with no band above that is silent.

    Source: Slaney, Auditory Toolbox (1998); McFee et al., librosa (SciPy 2015).
    """

    def __init__(self, clip: ClipParams, spectrogram: SpectrogramParams) -> None:
        from librosa.filters import mel  # a second's import that only this class needs

        _check_band(clip, spectrogram)
        super().__init__(clip.samples, (1 + clip.samples // spectrogram.hop, spectrogram.mels, 1))
        self._hop, self._floor_db = spectrogram.hop, spectrogram.floor_db
        self._window = np.hanning(spectrogram.window + 1)[:-1].astype(np.float32)
        bank = mel(
            sr=clip.sample_rate,
            n_fft=spectrogram.window,
            n_mels=spectrogram.mels,
            fmin=spectrogram.min_hz,
            fmax=spectrogram.max_hz,
        )
        self._bank = scipy.sparse.csr_array(bank)

    def _transform(self, y: FloatArray) -> FloatArray:
        length = len(self._window)
        padded = np.zeros(self.samples + 2 * (length // 2), dtype=np.float32)
        padded[length // 2 : length // 2 + self.samples] = y
        frames = sliding_window_view(padded, length)[:: self._hop]
        spectrum = scipy.fft.rfft((frames * self._window).T, axis=0)
        power = self._bank @ (np.square(spectrum.real) + np.square(spectrum.imag))
        return self._decibels(power).T[:, :, np.newaxis]

    def _decibels(self, power: FloatArray) -> FloatArray:
        loudest = power.max()
        if loudest <= _SILENCE:
            return np.zeros_like(power)
        floor = np.float32(10.0 ** (-self._floor_db / 10.0))
        decibels = 10.0 * np.log10(np.maximum(power / loudest, floor))
        scaled: FloatArray = np.clip(1.0 + decibels / np.float32(self._floor_db), 0.0, 1.0)
        return scaled


def _check_band(clip: ClipParams, spectrogram: SpectrogramParams) -> None:
    nyquist, low, high = clip.sample_rate / 2, spectrogram.min_hz, spectrogram.max_hz
    if high > nyquist:
        raise UserError(
            f"params.yaml: spectrogram.max_hz: {high:g} is above {nyquist:g}, half of clip.sample_rate; "
            "lower it, or raise clip.sample_rate"
        )
    if low >= high:
        raise UserError(f"params.yaml: spectrogram.min_hz: {low:g} must lie under max_hz, {high:g}")


REPRESENTATIONS: dict[str, Callable[[ClipParams, SpectrogramParams], Representation]] = {"log_mel": LogMel}


def from_params(clip: ClipParams, spectrogram: SpectrogramParams) -> Representation:
    """Give the representation that the params ask for.

    Raises
    ------
    UserError
        Naming the knob of params.yaml that does not fit the others.
    """
    return REPRESENTATIONS["log_mel"](clip, spectrogram)


def write(path: Path, audio: Path, representation: Representation, *, workers: int = 0) -> None:
    """Transform a store of int16 audio into one of float16 features, with a progress bar.

    `workers` is the number of threads; 0 means one a core, and no number changes a byte.

    Raises
    ------
    UserError
        When `audio` is missing, damaged or has clips of another length.
    """
    with store.open_store(audio) as clips:
        if clips.shape != (representation.samples,):
            raise UserError(
                f"{audio}: clips of shape {clips.shape} where `clip` in params.yaml asks for "
                f"{representation.samples} samples; run `dvc repro synthesize`"
            )
        with (
            store.create(
                path,
                name="features",
                shape=representation.shape,
                dtype=np.float16,
                ids=clips.ids,
                labels=clips.labels,
                classes=clips.classes,
            ) as writer,
            tqdm(total=len(clips), desc=path.stem, unit="clip") as progress,
        ):
            for batch in clips.batches(_BATCH):
                sound = batch.astype(np.float32) / np.float32(32768)
                writer.append(representation.batch(sound, threads=workers or None))
                progress.update(len(batch))
