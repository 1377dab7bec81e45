"""A teacher: a network trained on AudioSet, whose embedding of each clip a model learns beside the labels.

Labels teach what tells synthesized instruments apart. The embedding also has what tells two million recordings apart,
and a model that learns to predict it keeps some of that for recordings. Only training needs the teacher: the trained
model has neither its weights nor the layer that predicts its embedding.

Sources: Romero et al., FitNets: hints for thin deep nets (ICLR 2015), section 2.2; Schmid, Koutini & Widmer, Efficient
large-scale audio tagging via transformer-to-CNN knowledge distillation (ICASSP 2023).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from instrec import features
from instrec.audio import separation
from instrec.models.backend import keras, layers
from instrec.params import AUDIOSET, ClipParams, SpectrogramParams
from instrec.training import calibration
from instrec.util import hdf5
from instrec.util.progress import tqdm

HEAD = "embedding"  # the output that predicts the teacher's
SIZE, DTYPE = 384, np.float16
BATCH = 64  # clips in memory at a time

_RATE, _HOP = 32000, 320  # of the teacher's features


class Teacher:
    """The network, for clips of any sample rate.

    Raises
    ------
    UserError
        If its weights cannot be fetched.
    """

    def __init__(self, clip: ClipParams) -> None:
        from instrec.models.architectures import efficient_at  # other trainings do not depend on it

        frames = round(clip.seconds * _RATE / _HOP)
        spectrogram = SpectrogramParams(
            name="audioset_mel",
            part="whole",
            scale="decibels",
            window=800,
            hop=_HOP,
            mels=128,
            min_hz=0.0,
            max_hz=15000.0,
            floor_db=AUDIOSET[1],
            frames=frames,
            pixels=0,
        )
        self._rate = clip.sample_rate
        self._representation = features.from_params(ClipParams(_RATE, frames * _HOP / _RATE), spectrogram)
        self._network = efficient_at.teacher(frames)

    def embeddings(self, clips: npt.NDArray[np.int16]) -> npt.NDArray[np.float16]:
        """Return the embeddings of clips [shape=(clips, samples) or (clips, samples, parts)], shape (clips, 384)."""
        sounds = np.stack([separation.whole(clip) for clip in clips])
        resampled = soxr.resample(sounds.T.astype(np.float32) / np.float32(32768), self._rate, _RATE).T
        inputs = self._representation.batch(np.ascontiguousarray(resampled[:, : self._representation.samples]))
        given: npt.NDArray[np.float16] = self._network.predict_on_batch(inputs)["embedding"].astype(DTYPE)
        return given


def write(path: Path, audio: Path, clip: ClipParams) -> None:
    """Write the embeddings of a store of audio, with a progress bar.

    Raises
    ------
    UserError
        If `audio` is missing or damaged, or if the weights of the teacher cannot be fetched.
    """
    with (
        hdf5.open_store(audio) as clips,
        create(path, clips.ids, clips.labels, clips.classes) as writer,
        tqdm(total=len(clips), desc="teacher", unit="clip") as progress,
    ):
        teacher = Teacher(clip)
        for sounds in clips.batches(BATCH):
            writer.append(teacher.embeddings(sounds))
            progress.update(len(sounds))


def create(path: Path, ids: list[str], labels: npt.NDArray[np.uint8], classes: tuple[str, ...]) -> Any:
    """Open a store of embeddings for writing, as `hdf5.create` does."""
    return hdf5.create(path, name=HEAD, shape=(SIZE,), dtype=DTYPE, ids=ids, labels=labels, classes=classes)


def targets(path: Path) -> npt.NDArray[np.float32]:
    """Return the embeddings of a store, each dimension with mean 0 and variance 1, shape (clips, 384).

    Without that, all embeddings would have nearly the same direction.
    """
    with hdf5.open_store(path) as store:
        raw = store.read(0, len(store)).astype(np.float32)
    standard: npt.NDArray[np.float32] = (raw - raw.mean(axis=0)) / (raw.std(axis=0) + 1e-3)
    return standard


def attach(model: Any) -> Any:
    """Return the model with a second head that predicts the embedding."""
    known = model.get_layer(calibration.HEAD).input
    head = layers.Dense(SIZE, dtype="float32", name=HEAD)(known)
    return keras.Model(model.inputs, {**model.output, HEAD: head}, name=model.name)


def detach(model: Any) -> Any:
    """Return the model without that head, if it has one."""
    return keras.Model(
        model.inputs, {name: output for name, output in model.output.items() if name != HEAD}, name=model.name
    )


def loss() -> Any:
    """Return the loss of that head: the negative cosine, which is 0 for a target of zeros."""
    return keras.losses.CosineSimilarity()
