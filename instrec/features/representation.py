"""The contract of all representations."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Representation(ABC):
    """Computes the features of a clip: (samples,) -> (frames, bins, channels), float32 from 0 to 1.

    If files are separated into a pair of parts before they are cut into clips, a clip is (samples, 2).

    Every representation has these properties:

    - A clip shorter than `samples` is padded with silence at its end. A longer one is an error.
    - Silence gives zeros, and no clip gives NaN.
    - The same clip gives the same bytes, alone or in a batch, whatever the number of threads.

    Attributes
    ----------
    samples : length of a clip.
    sound : shape of a clip.
    shape : (frames, bins, channels) of its features.
    """

    def __init__(self, samples: int, shape: tuple[int, int, int], parts: tuple[int, ...] = ()) -> None:
        self.samples = samples
        self.sound = (samples, *parts)
        self.shape = shape

    def __call__(self, y: FloatArray) -> FloatArray:
        """Transform one clip, y : np.ndarray [shape=sound], into shape (frames, bins, channels).

        Raises
        ------
        ValueError
            If y is longer than a clip, is not of its shape, or has NaN or infinity.
        """
        features: FloatArray = self.batch(np.asarray(y)[np.newaxis], threads=1)[0]
        return features

    def batch(self, y: FloatArray, *, threads: int | None = None) -> FloatArray:
        """Transform clips, y : np.ndarray [shape=(clips, *sound)], to (clips, frames, bins, channels).

        `threads` defaults to one per core. Errors are those of a single clip.
        """
        y = np.asarray(y)
        if y.ndim != 1 + len(self.sound) or y.shape[2:] != self.sound[1:] or y.shape[1] > self.samples:
            raise ValueError(f"a clip has at most {self.samples} samples in shape {self.sound}, not {y.shape[1:]}")
        features = np.empty((len(y), *self.shape), dtype=np.float32)
        threads = threads or len(os.sched_getaffinity(0))

        def work(first: int) -> None:
            for index in range(first, len(y), threads):
                clip = np.zeros(self.sound, dtype=np.float32)
                clip[: y.shape[1]] = y[index]
                if not np.isfinite(clip).all():
                    raise ValueError(f"clip {index} of the batch holds NaN or infinity")
                features[index] = self._transform(clip)

        if threads == 1:
            work(0)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, range(threads)))
        return features

    @abstractmethod
    def _transform(self, y: FloatArray) -> FloatArray:
        """Transform exactly `samples` finite samples into `shape`; called from several threads at once."""
