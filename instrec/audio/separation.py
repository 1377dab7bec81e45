"""Separation of sound into parts: harmonic and percussive, or solo and accompaniment.

Parts are separated in clips, or in whole files before they are cut into clips (`OF_FILE`). A clip of a second is too
short for accompaniment to repeat itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from instrec.params import SpectrogramParams
from instrec.params_schema import Part

FloatArray = NDArray[np.float32]
Sample = TypeVar("Sample", np.float32, np.int16)

BLOCK_SECONDS = 30
"""Length in which files are separated, so that memory is bounded; the last block of a file is shorter."""

_KERNEL = 31  # frames and bins, as in librosa
_SIMILAR_AFTER_SECONDS = 1.0  # as Rafii & Pardo; less in a clip under four seconds
_SIMILAR_FRAMES = 5  # of a clip of seconds; of a song of minutes, Rafii & Pardo take up to 100
_WINDOW, _HOP = 2048, 512  # samples; of files, as in librosa
_NOTHING = np.float32(1e-20)


@dataclass(frozen=True)
class Separation:
    """A method of separation.

    Attributes
    ----------
    channels : the number of parts.
    separate : from the magnitudes of a clip [shape=(bins, frames)] and its seconds per frame to those of the parts.
        Both parts of a pair add up to the clip.
    """

    channels: int
    separate: Callable[[FloatArray, float], tuple[FloatArray, ...]]


def _harmonic_percussive(magnitude: FloatArray, _: float) -> tuple[FloatArray, FloatArray]:
    """Separate harmonic and percussive parts: librosa.decompose.hpss to the byte.

    librosa's median filter is two-dimensional and takes five times as long.

    Source: Fitzgerald, Harmonic/percussive separation using median filtering (DAFx 2010).
    """
    from librosa.util import softmask

    over_time, over_frequency = _smoothed(magnitude), _smoothed(magnitude.T).T
    return (
        magnitude * softmask(over_time, over_frequency, power=2, split_zeros=True),
        magnitude * softmask(over_frequency, over_time, power=2, split_zeros=True),
    )


def _smoothed(rows: FloatArray) -> FloatArray:
    """Return the median around each point of each row, with mirrored ends."""
    margin = _KERNEL // 2
    padded = np.pad(rows, ((0, 0), (margin, margin)), mode="symmetric")
    smooth: FloatArray = median_filter(padded.ravel(), _KERNEL).reshape(padded.shape)[:, margin:-margin]
    return smooth


def _solo_accompaniment(magnitude: FloatArray, seconds_per_frame: float) -> tuple[FloatArray, FloatArray]:
    """Separate the solo from the accompaniment, which repeats itself in the clip.

    It replaces the pitch-informed separation of Gomez, Abesser & Cano (ISMIR 2018).

    Source: Rafii & Pardo, Music/voice separation using the similarity matrix (ISMIR 2012): REPET-SIM; the mask is
    squared as in librosa's example.
    """
    from librosa.decompose import nn_filter
    from librosa.util import softmask

    repeating = nn_filter(magnitude, rec=_similar(magnitude, seconds_per_frame), aggregate=np.median)
    repeating = np.minimum(repeating, magnitude)
    accompaniment = magnitude * softmask(repeating, magnitude - repeating, power=2, split_zeros=True)
    return magnitude - accompaniment, accompaniment


def _similar(magnitude: FloatArray, seconds_per_frame: float) -> scipy.sparse.csc_array:
    """Return a matrix whose columns mark the frames most similar to each frame by cosine, except those near it.

    Without weights, librosa.segment.recurrence_matrix keeps the earliest candidates and not the most similar ones.
    """
    from librosa.util import normalize

    frames = magnitude.shape[1]
    distance = max(1, round(min(_SIMILAR_AFTER_SECONDS / seconds_per_frame, frames / 4)))
    apart = frames - 2 * distance + 1  # so many frames are far enough from every other
    most = min(apart, _SIMILAR_FRAMES)
    unit = normalize(np.ascontiguousarray(magnitude.T), norm=2, axis=1)
    # Not by `@`, whose own threads wait for those of the other clips.
    similarity = np.einsum("if,jf->ij", unit, unit)
    steps = np.arange(frames)
    similarity[np.abs(steps[:, np.newaxis] - steps) < distance] = -1
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :most]
    return scipy.sparse.csc_array(
        (np.ones(nearest.size, bool), nearest.ravel(), np.arange(frames + 1) * most), shape=(frames, frames)
    )


def _only(separate: Callable[[FloatArray, float], tuple[FloatArray, ...]], index: int) -> Separation:
    return Separation(1, lambda magnitude, seconds_per_frame: (separate(magnitude, seconds_per_frame)[index],))


PARTS = {
    "whole": Separation(1, lambda magnitude, _: (magnitude,)),
    "harmonic": _only(_harmonic_percussive, 0),
    "percussive": _only(_harmonic_percussive, 1),
    "harmonic_percussive": Separation(2, _harmonic_percussive),
    "solo": _only(_solo_accompaniment, 0),
    "accompaniment": _only(_solo_accompaniment, 1),
    "solo_accompaniment": Separation(2, _solo_accompaniment),
}

OF_FILE = cast(dict[Part, Part], {f"{part}_of_file": part for part in PARTS if part != "whole"})
"""Parts of whole files, and what they are of a clip."""


def axis_of(part: Part) -> tuple[int, ...]:
    """Return the shape of a sample of clips: (2,) if they are cut from a pair of parts of a file, () otherwise."""
    channels = PARTS[OF_FILE[part]].channels if part in OF_FILE else 1
    return (channels,) if channels > 1 else ()


def whole(y: NDArray[Sample]) -> NDArray[Sample]:
    """Return the sum of parts [shape=(samples, parts)]; a sound [shape=(samples,)] as it is."""
    return y if y.ndim == 1 else y.sum(axis=1, dtype=y.dtype)


def in_clips(spectrogram: SpectrogramParams) -> SpectrogramParams:
    """Return the parameters of a clip's features; a clip that is cut from one part of its file is a whole."""
    single = spectrogram.part in OF_FILE and not axis_of(spectrogram.part)
    return replace(spectrogram, part="whole") if single else spectrogram


def of_file(y: FloatArray, sample_rate: int, part: Part) -> FloatArray:
    """Return a part of a file, for example `solo`, or a pair, separated block by block of `BLOCK_SECONDS`.

    Frames of `_WINDOW` samples keep their phase. Two parts of a pair add up to the file. Shape (samples,), or
    (samples, 2) for a pair.

    Parameters
    ----------
    y : np.ndarray [shape=(samples,)]
    sample_rate : in Hz.
    """
    size = BLOCK_SECONDS * sample_rate
    blocks = [_of_block(y[start : start + size], sample_rate, part) for start in range(0, max(1, len(y)), size)]
    return np.concatenate(blocks).astype(np.float32)


def _of_block(y: FloatArray, sample_rate: int, part: Part) -> FloatArray:
    from librosa import istft, stft

    padded = np.pad(y, (0, max(0, _WINDOW - len(y))))
    spectrum = stft(padded, n_fft=_WINDOW, hop_length=_HOP)
    magnitude = np.abs(spectrum)
    masks = [wanted / np.maximum(magnitude, _NOTHING) for wanted in PARTS[part].separate(magnitude, _HOP / sample_rate)]
    separated = [istft(spectrum * mask, hop_length=_HOP, length=len(padded))[: len(y)] for mask in masks]
    return np.stack(separated, axis=1) if len(separated) > 1 else np.asarray(separated[0])
