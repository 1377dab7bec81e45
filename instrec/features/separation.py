"""Taking a clip apart: what is sung or struck, what leads and what goes along with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from scipy.ndimage import median_filter

from instrec.features.representation import FloatArray

_KERNEL = 31  # frames and bins, as in librosa
_SIMILAR_AFTER_SECONDS = 1.0  # as Rafii & Pardo; less in a clip under four seconds
_SIMILAR_FRAMES = 5  # of a clip of seconds; of a song of minutes, Rafii & Pardo take up to 100


@dataclass(frozen=True)
class Separation:
    """One way to take a clip apart.

    Attributes
    ----------
    channels : the number of parts.
    separate : gives them as magnitudes, from the clip's own [shape=(bins, frames)] and the seconds from one frame to
        the next. Both parts of a pair add up to the clip.
    """

    channels: int
    separate: Callable[[FloatArray, float], tuple[FloatArray, ...]]


def _harmonic_percussive(magnitude: FloatArray, _: float) -> tuple[FloatArray, FloatArray]:
    """Part what is smooth over time from what is smooth over frequency: librosa.decompose.hpss to the byte.

    librosa's median filter, which works in two dimensions, takes five times as long.

    Source: Fitzgerald, Harmonic/percussive separation using median filtering (DAFx 2010).
    """
    from librosa.util import softmask

    over_time, over_frequency = _smoothed(magnitude), _smoothed(magnitude.T).T
    return (
        magnitude * softmask(over_time, over_frequency, power=2, split_zeros=True),
        magnitude * softmask(over_frequency, over_time, power=2, split_zeros=True),
    )


def _smoothed(rows: FloatArray) -> FloatArray:
    """Return the median around each point of each row, which goes on mirrored at its ends."""
    margin = _KERNEL // 2
    padded = np.pad(rows, ((0, 0), (margin, margin)), mode="symmetric")
    smooth: FloatArray = median_filter(padded.ravel(), _KERNEL).reshape(padded.shape)[:, margin:-margin]
    return smooth


def _solo_accompaniment(magnitude: FloatArray, seconds_per_frame: float) -> tuple[FloatArray, FloatArray]:
    """Part what sounds once from what repeats itself in the clip.

    It stands in for the pitch-informed separation that Gomez, Abesser & Cano (ISMIR 2018) used.

    Source: Rafii & Pardo, Music/voice separation using the similarity matrix (ISMIR 2012): REPET-SIM; the mask is
    squared as librosa's example of it has it.
    """
    from librosa.decompose import nn_filter
    from librosa.util import softmask

    repeating = nn_filter(magnitude, rec=_similar(magnitude, seconds_per_frame), aggregate=np.median)
    repeating = np.minimum(repeating, magnitude)
    accompaniment = magnitude * softmask(repeating, magnitude - repeating, power=2, split_zeros=True)
    return magnitude - accompaniment, accompaniment


def _similar(magnitude: FloatArray, seconds_per_frame: float) -> scipy.sparse.csc_array:
    """Return each frame, in its column, the frames most like it by cosine that are not near it.

    librosa.segment.recurrence_matrix, asked for no more than who is alike, keeps the first in time of those that come
    into question and not the most alike.
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
