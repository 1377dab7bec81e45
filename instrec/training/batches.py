"""Batches for Keras from HDF5, in bounded memory, with augmentation drawn from (seed, epoch, batch)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.models.backend import keras
from instrec.models.heads import COUNTS, TASKS, UNKNOWN, complete, labels_of
from instrec.params import Params
from instrec.training import teacher
from instrec.util import seeding
from instrec.util.hdf5 import Store

Floats = npt.NDArray[np.float32]

_AUDIBLE, _SHORTEST = 0.5, 0.15  # of the scale, from where something sounds; of a clip, what a shortened one has left

# Of noise under clips: dB from the clip's loudest point down to the loudest noise, the share that is tilted, dB from
# the lowest band to the highest, and how many independent values a cell is the mean power of.
_NOISE_DB, _TILTED, _TILT_DB, _GRAIN = 12.0, 0.6, (-40.0, 10.0), 4


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of batches: features (clips, frames, bins, channels) and the targets of the task.

    With `train.class_weights`, a batch of an epoch also has the weights of its clips, per output.

    Parameters
    ----------
    epoch : with the seed, determines order and augmentation; with None, the order is that of the file, and there is no
        augmentation.
    embeddings : of a teacher [shape=(clips, any)], targets of another output; zeros stand for none, as in mixed clips.
    multiple : number of devices that share a batch evenly; the few other clips of the last batch are left out.

    Attributes
    ----------
    clips : how many there are.
    """

    def __init__(
        self,
        store: Store,
        params: Params,
        epoch: int | None = None,
        *,
        embeddings: Floats | None = None,
        multiple: int = 1,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)  # with one, Keras would prepare batches while training waits
        self._store, self._params, self._epoch, self._embeddings = store, params, epoch, embeddings
        self._order = np.arange(len(store))
        if epoch is not None:
            self._rng("order").shuffle(self._order)
        self.clips = len(store) // multiple * multiple
        self._order = self._order[: self.clips]
        weighted = epoch is not None and params.train.class_weights == "balanced"
        self._class_weights = balanced(store.labels) if weighted else None

    def _rng(self, *names: str) -> np.random.Generator:
        return seeding.generator(self._params.seed, "train", str(self._epoch), *names)

    def __len__(self) -> int:
        return -(-len(self._order) // self._params.train.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        size = self._params.train.batch_size
        # HDF5 reads rows in rising order only; within a batch order means nothing.
        rows = np.sort(self._order[index * size : (index + 1) * size])
        features = self._store.read_rows(rows).astype(np.float32)
        labels = labels_of(self._store, rows)
        whole = np.ones((len(rows), 1), np.float32)
        if self._epoch is not None:
            features, labels, mixed = augment(self._rng(str(index)), features, labels, self._params)
            whole[mixed] = 0
        targets = TASKS[self._params.task].targets(labels)
        if self._embeddings is not None:
            targets[teacher.HEAD] = self._embeddings[rows] * whole
        if self._class_weights is None:
            return features, targets
        ones = np.ones(len(rows), np.float32)
        own = {"presence": clip_weights(labels, self._class_weights)}
        return features, targets, {name: own.get(name, ones) for name in targets}


def balanced(labels: npt.NDArray[np.uint8]) -> Floats:
    """Return the weight of each class, inverse to how often it occurs in labels [shape=(clips, classes)].

    Its mean over all labels is 1. A class that never occurs has weight 0.

    Source: Gomez et al. (2018), option `-c`; King & Zeng, Logistic regression in rare events data (2001).
    """
    number = labels.sum(axis=0, dtype=np.float64)
    weights: Floats = (number.sum() / np.maximum(number, 1) / max(1, np.count_nonzero(number))).astype(np.float32)
    return np.where(number > 0, weights, np.float32(0))


def clip_weights(labels: Floats, weights: Floats) -> Floats:
    """Return the mean weight of the classes that sound in each clip [shape=(clips,)]; 1 for a clip without any."""
    sounding = np.where(labels == UNKNOWN, np.float32(0), labels)
    number = sounding.sum(axis=1)
    return np.where(number > 0, sounding @ weights / np.maximum(number, 1), 1).astype(np.float32)


def augment(
    rng: np.random.Generator, features: Floats, labels: Floats, params: Params
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Augment a batch: mix clips, add a noise floor, color them, shift them in time, and mask bands.

    Returns features, labels, and the indices of mixed clips.

    Mixing, noise and color need features in decibels below the loudest point of each clip, scaled to 0..1 by
    `spectrogram.floor_db`. `Params` refuses them for other features.
    """
    train, floor_db = params.train, params.spectrogram.floor_db
    features, labels, mixed = _mixed(rng, features, labels, train.mix_probability, floor_db)
    _shorten(rng, features, labels, train.shorten_probability)
    features = _over_noise(rng, features, train.noise_floor_probability, floor_db)
    clips, frames, bins, _ = features.shape
    features = np.clip(features + _color(rng, clips, bins, train.color_db / floor_db), 0, 1)
    spectrogram, clip = params.spectrogram, params.clip
    seconds = spectrogram.frames * spectrogram.hop / clip.sample_rate if spectrogram.frames else clip.seconds
    for each in features:
        most = int(train.roll_seconds * (frames / seconds))
        _shift(each, int(rng.integers(-most, most + 1)))
        width = int(rng.integers(0, train.mask_mels + 1))
        start = int(rng.integers(0, bins - width + 1))
        each[:, start : start + width] = 0
    return features, labels, mixed


def _mixed(
    rng: np.random.Generator, features: Floats, labels: Floats, probability: float, floor_db: float
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Add another clip of the batch, up to 12 dB softer, if the sum has at most three instruments, all known."""
    partner = rng.permutation(len(features))
    union = np.maximum(labels, labels[partner])
    few = (union.sum(axis=1) < COUNTS) & complete(labels) & complete(labels[partner])
    chosen = np.flatnonzero((rng.random(len(features)) < probability) & few)
    gain_db = rng.uniform(-12, 0, size=(len(chosen), 1, 1, 1)).astype(np.float32)
    features, labels = features.copy(), labels.copy()
    features[chosen] = _added(features[chosen], features[partner[chosen]] * floor_db + gain_db, floor_db)
    labels[chosen] = union[chosen]
    return features, labels, chosen


def _added(features: Floats, other: Floats, floor_db: float) -> Floats:
    """Add power, given in decibels above the floor, and scale to the new loudest point."""
    # log10(10^(a/10) + 10^(b/10)) by way of the larger.
    one, scale = features * np.float32(floor_db), np.float32(np.log(10) / 10)
    total = np.maximum(one, other) + np.log1p(np.exp(-scale * np.abs(one - other))) / scale
    total -= np.maximum(total.max(axis=(1, 2, 3), keepdims=True) - np.float32(floor_db), 0)
    added: Floats = np.clip(total / np.float32(floor_db), 0, 1)
    return added


def _over_noise(rng: np.random.Generator, features: Floats, probability: float, floor_db: float) -> Floats:
    """Add steady noise to clips, like that of rooms and microphones: white, or tilted over frequency."""
    chosen = np.flatnonzero((rng.random(len(features)) < probability) & features.any(axis=(1, 2, 3)))
    one_each = (len(chosen), 1, 1, 1)
    under_db = rng.uniform(_NOISE_DB, floor_db, one_each)
    tilt_db = np.where(rng.random(one_each) < _TILTED, rng.uniform(*_TILT_DB, one_each), 0)
    curve = tilt_db * np.linspace(0, 1, features.shape[2])[:, np.newaxis]
    grain = 10 * np.log10(rng.gamma(_GRAIN, 1 / _GRAIN, (len(chosen), *features.shape[1:])))
    noise = floor_db - under_db + curve - np.maximum(tilt_db, 0) + grain
    features = features.copy()
    features[chosen] = _added(features[chosen], noise.astype(np.float32), floor_db)
    return features


def _shorten(rng: np.random.Generator, features: Floats, labels: Floats, probability: float) -> None:
    """Cut off solo clips soon after their onset, in place, like files of single notes."""
    frames, solo = features.shape[1], (labels.sum(axis=1) == 1) & complete(labels)
    for clip in np.flatnonzero((rng.random(len(features)) < probability) & solo):
        loud = features[clip].max(axis=(1, 2)) > _AUDIBLE
        start = max(0, int(loud.argmax()) - int(rng.integers(0, frames // 16 + 1)))
        length = int(rng.uniform(_SHORTEST, 1) * frames)
        kept = features[clip, start : start + length].copy()
        features[clip] = 0
        loudest = kept.max()
        if loudest > 0:
            features[clip, : len(kept)] = np.maximum(kept + (1 - loudest), 0) * (kept > 0)


def _color(rng: np.random.Generator, clips: int, bins: int, depth: float) -> Floats:
    """Return a smooth random curve over frequency per clip, like the response of microphones and rooms."""
    knots = rng.normal(0, depth, size=(clips, 6))
    places = np.linspace(0, 5, bins)
    low = np.minimum(places.astype(int), 4)
    part = places - low
    curve = knots[:, low] * (1 - part) + knots[:, low + 1] * part
    color: Floats = curve[:, np.newaxis, :, np.newaxis].astype(np.float32)
    return color


def _shift(features: Floats, frames: int) -> None:
    """Shift the features of a clip in time, in place, and fill up with silence."""
    if frames > 0:
        features[frames:] = features[:-frames].copy()
        features[:frames] = 0
    elif frames < 0:
        features[:frames] = features[-frames:].copy()
        features[frames:] = 0
