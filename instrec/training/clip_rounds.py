"""A round of training clips: composed, rendered, made noisy, and turned into features, as the stages would."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec import features
from instrec.corpus import balance, manifest
from instrec.corpus.manifest import Clip
from instrec.params import ClipParams, Params, SpectrogramParams
from instrec.synthesis.rendering import Renderer
from instrec.synthesis.soundfonts import catalog
from instrec.util import hdf5, parallel

_BATCH = 64  # clips in memory at a time


@dataclass(frozen=True)
class Sources:
    """The inputs of rounds.

    Attributes
    ----------
    params : all parameters; `workers` processes make a round.
    manifest : file of the clips.
    data : folder of the frozen scores.
    first : features store of the first round, from the stages; it provides the features of recordings.
    embeddings : a teacher's of the first round, if there is a teacher; it provides those of recordings.
    """

    params: Params
    manifest: Path
    data: Path
    first: Path
    embeddings: Path | None = None


def write(path: Path, sources: Sources, number: int) -> None:
    """Write the features store of a round, with the bytes that the stages would write for its clips.

    If there is a teacher, the store of its embeddings is written before.

    Raises
    ------
    UserError
        If a source is missing or a clip cannot be rendered.
    """
    params = sources.params
    held = catalog.held(params.soundfonts.train, params.soundfonts.folders)
    clips = balance.round_clips(params, manifest.read(sources.manifest), number, held)
    ids = [clip.id for clip in clips]
    with hdf5.open_store(sources.first) as first:
        labels, unknown = manifest.label_arrays(clips, first.classes)
        rows = {identity: row for row, identity in enumerate(first.ids)}
        compute = _Features(params, sources.data, sound=sources.embeddings is not None)
        others = [clip for clip in clips if clip.id not in rows]
        rendered = parallel.ordered_map(compute, others, workers=params.workers, cluster=params.cluster)
        with (
            hdf5.create(
                path,
                name="features",
                shape=first.shape,
                dtype=first.dtype,
                ids=ids,
                labels=labels,
                classes=first.classes,
                unknown=unknown,
            ) as writer,
            _teaching(embeddings_of(path), sources, ids, labels, first.classes) as teach,
        ):
            for start in range(0, len(ids), _BATCH):
                old = [rows.get(identity) for identity in ids[start : start + _BATCH]]
                new = [next(rendered) for row in old if row is None]
                made = iter(new)
                for row in old:
                    writer.append(next(made)[0][np.newaxis] if row is None else first.read(row, row + 1))
                teach(old, [sound for _, sound in new])


def embeddings_of(path: Path) -> Path:
    """Return the store of a teacher's embeddings of a round."""
    return path.with_name(f"teacher-{path.name}")


@contextmanager
def _teaching(
    path: Path, sources: Sources, ids: list[str], labels: npt.NDArray[np.uint8], classes: tuple[str, ...]
) -> Iterator[Callable[[list[int | None], list[Any]], None]]:
    """Provide a function that writes the embeddings of clips: rows of the first round, or None and a new sound."""
    if sources.embeddings is None:
        yield lambda rows, sounds: None
        return
    from instrec.training import teacher  # loads Keras, which no other process of a round needs

    with hdf5.open_store(sources.embeddings) as first, teacher.create(path, ids, labels, classes) as writer:
        network = teacher.Teacher(sources.params.clip)

        def teach(rows: list[int | None], sounds: list[Any]) -> None:
            new = iter(network.embeddings(np.array(sounds))) if sounds else iter(())
            for row in rows:
                writer.append(next(new)[np.newaxis] if row is None else first.read(row, row + 1))

        yield teach


@dataclass(frozen=True)
class _Features:
    """Renders a clip and computes its features, in half precision; its sound leaves the worker only for a teacher."""

    params: Params
    data: Path
    sound: bool

    def __call__(self, clip: Clip) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int16] | None]:
        sound = Renderer(self.params, self.data)(clip)
        scaled = sound.astype(np.float32) / np.float32(32768)
        features = _representation(self.params.clip, self.params.spectrogram)(scaled).astype(np.float16)
        return features, sound if self.sound else None


@functools.lru_cache(maxsize=1)
def _representation(clip: ClipParams, spectrogram: SpectrogramParams) -> features.Representation:
    return features.from_params(clip, spectrogram)
