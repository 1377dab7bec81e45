"""From HDF5 to batches for Keras, in bounded memory, with augmentation drawn from (seed, epoch, batch)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instrec.models.backend import keras
from instrec.models.heads import COUNTS, TASKS, Targets
from instrec.params import Params
from instrec.util import seeding
from instrec.util.hdf5 import Store

Floats = npt.NDArray[np.float32]

_HEARD, _SHORTEST = 0.5, 0.15  # of the scale, from where something sounds; of a clip, what a shortened one has left

# Of noise under clips: dB from the clip's loudest point down to the loudest noise, the share that is tilted, dB from
# the lowest band to the highest, and how many independent values a cell is the mean power of.
_NOISE_DB, _TILTED, _TILT_DB, _GRAIN = 12.0, 0.6, (-40.0, 10.0), 4


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of batches: pictures (clips, frames, bins, channels) and the targets of the task.

    Parameters
    ----------
    epoch : with the seed, decides order and augmentation; None keeps the file's order and leaves clips as they are.
    multiple : of what the last batch holds, as several devices share it evenly; the few clips over are left out.

    Attributes
    ----------
    clips : how many there are.
    """

    def __init__(self, store: Store, params: Params, epoch: int | None = None, *, multiple: int = 1) -> None:
        super().__init__(workers=2, max_queue_size=8)  # with one, Keras would prepare batches while training waits
        self._store, self._params, self._epoch = store, params, epoch
        self._order = np.arange(len(store))
        if epoch is not None:
            self._rng("order").shuffle(self._order)
        self.clips = len(store) // multiple * multiple
        self._order = self._order[: self.clips]

    def _rng(self, *names: str) -> np.random.Generator:
        return seeding.generator(self._params.seed, "train", str(self._epoch), *names)

    def __len__(self) -> int:
        return -(-len(self._order) // self._params.train.batch_size)

    def __getitem__(self, index: int) -> tuple[Floats, Targets]:
        size = self._params.train.batch_size
        # HDF5 reads rows in rising order only; within a batch order means nothing.
        rows = np.sort(self._order[index * size : (index + 1) * size])
        pictures = self._store.read_rows(rows).astype(np.float32)
        labels = self._store.labels[rows].astype(np.float32)
        if self._epoch is not None:
            pictures, labels = augment(self._rng(str(index)), pictures, labels, self._params)
        return pictures, TASKS[self._params.task].targets(labels)


def augment(rng: np.random.Generator, pictures: Floats, labels: Floats, params: Params) -> tuple[Floats, Floats]:
    """Make new clips of a batch: mixed, over a floor of noise, colored, shifted in time, with frequencies missing.

    Only decibels under each clip's loudest point, scaled to 0..1 (`spectrogram.floor_db` gives the scale), can be
    mixed, laid over noise and colored; `Params` refuses these for other pictures.
    """
    train, floor_db = params.train, params.spectrogram.floor_db
    pictures, labels = _mixed(rng, pictures, labels, train.mix_probability, floor_db)
    _shorten(rng, pictures, labels, train.shorten_probability)
    pictures = _over_noise(rng, pictures, train.noise_floor_probability, floor_db)
    clips, frames, bins, _ = pictures.shape
    pictures = np.clip(pictures + _colour(rng, clips, bins, train.color_db / floor_db), 0, 1)
    spectrogram, clip = params.spectrogram, params.clip
    seconds = spectrogram.frames * spectrogram.hop / clip.sample_rate if spectrogram.frames else clip.seconds
    for picture in pictures:
        most = int(train.roll_seconds * (frames / seconds))
        _shift(picture, int(rng.integers(-most, most + 1)))
        width = int(rng.integers(0, train.mask_mels + 1))
        start = int(rng.integers(0, bins - width + 1))
        picture[:, start : start + width] = 0
    return pictures, labels


def _mixed(
    rng: np.random.Generator, pictures: Floats, labels: Floats, probability: float, floor_db: float
) -> tuple[Floats, Floats]:
    """Add another clip of the batch, up to 12 dB softer, where no more than three instruments come of it."""
    partner = rng.permutation(len(pictures))
    union = np.maximum(labels, labels[partner])
    chosen = np.flatnonzero((rng.random(len(pictures)) < probability) & (union.sum(axis=1) < COUNTS))
    gain_db = rng.uniform(-12, 0, size=(len(chosen), 1, 1, 1)).astype(np.float32)
    pictures, labels = pictures.copy(), labels.copy()
    pictures[chosen] = _added(pictures[chosen], pictures[partner[chosen]] * floor_db + gain_db, floor_db)
    labels[chosen] = union[chosen]
    return pictures, labels


def _added(pictures: Floats, other: Floats, floor_db: float) -> Floats:
    """Add the power of what is given in decibels over the floor, and measure from the new loudest point again."""
    # log10(10^(a/10) + 10^(b/10)) by way of the larger.
    one, scale = pictures * np.float32(floor_db), np.float32(np.log(10) / 10)
    total = np.maximum(one, other) + np.log1p(np.exp(-scale * np.abs(one - other))) / scale
    total -= np.maximum(total.max(axis=(1, 2, 3), keepdims=True) - np.float32(floor_db), 0)
    added: Floats = np.clip(total / np.float32(floor_db), 0, 1)
    return added


def _over_noise(rng: np.random.Generator, pictures: Floats, probability: float, floor_db: float) -> Floats:
    """Lay steady noise under clips, as rooms and microphones do: white, or tilted over frequency."""
    chosen = np.flatnonzero((rng.random(len(pictures)) < probability) & pictures.any(axis=(1, 2, 3)))
    one_each = (len(chosen), 1, 1, 1)
    under_db = rng.uniform(_NOISE_DB, floor_db, one_each)
    tilt_db = np.where(rng.random(one_each) < _TILTED, rng.uniform(*_TILT_DB, one_each), 0)
    curve = tilt_db * np.linspace(0, 1, pictures.shape[2])[:, np.newaxis]
    grain = 10 * np.log10(rng.gamma(_GRAIN, 1 / _GRAIN, (len(chosen), *pictures.shape[1:])))
    noise = floor_db - under_db + curve - np.maximum(tilt_db, 0) + grain
    pictures = pictures.copy()
    pictures[chosen] = _added(pictures[chosen], noise.astype(np.float32), floor_db)
    return pictures


def _shorten(rng: np.random.Generator, pictures: Floats, labels: Floats, probability: float) -> None:
    """Cut clips of one instrument off soon after it enters, in place, as files of single notes are: nothing follows."""
    frames = pictures.shape[1]
    for clip in np.flatnonzero((rng.random(len(pictures)) < probability) & (labels.sum(axis=1) == 1)):
        heard = pictures[clip].max(axis=(1, 2)) > _HEARD
        start = max(0, int(heard.argmax()) - int(rng.integers(0, frames // 16 + 1)))
        length = int(rng.uniform(_SHORTEST, 1) * frames)
        kept = pictures[clip, start : start + length].copy()
        pictures[clip] = 0
        loudest = kept.max()
        if loudest > 0:
            pictures[clip, : len(kept)] = np.maximum(kept + (1 - loudest), 0) * (kept > 0)


def _colour(rng: np.random.Generator, clips: int, bins: int, depth: float) -> Floats:
    """A smooth random curve over frequency for each clip, as microphones and rooms lay on what they take in."""
    knots = rng.normal(0, depth, size=(clips, 6))
    places = np.linspace(0, 5, bins)
    low = np.minimum(places.astype(int), 4)
    part = places - low
    curve = knots[:, low] * (1 - part) + knots[:, low + 1] * part
    colour: Floats = curve[:, np.newaxis, :, np.newaxis].astype(np.float32)
    return colour


def _shift(picture: Floats, frames: int) -> None:
    """Move a picture in time, in place; silence comes in behind it."""
    if frames > 0:
        picture[frames:] = picture[:-frames].copy()
        picture[:frames] = 0
    elif frames < 0:
        picture[:frames] = picture[-frames:].copy()
        picture[frames:] = 0
