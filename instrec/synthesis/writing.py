"""From clips to HDF5 files of sound, by all workers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec.audio import separation
from instrec.corpus import manifest, test_sets
from instrec.corpus.manifest import Clip
from instrec.params import Params
from instrec.synthesis.rendering import Renderer
from instrec.util import hdf5, parallel
from instrec.util.progress import tqdm


def write_splits(folder: Path, clips: list[Clip], renderer: Renderer) -> None:
    """Render each split into a file of its own. The same workers render all: they load each SoundFont once."""
    splits = {split: manifest.of_split(clips, split) for split in manifest.splits(clips)}
    with closing(_rendered(renderer, list(chain(*splits.values())))) as rendered:
        for split, own in splits.items():
            _write(folder / f"{split}.h5", own, rendered, renderer.params)


def write(path: Path, clips: list[Clip], renderer: Renderer) -> None:
    """Render the clips of a split into an HDF5 file, by all workers, with a progress bar.

    The columns of labels are `test_sets.label_columns` of the split.
    """
    with closing(_rendered(renderer, clips)) as rendered:
        _write(path, clips, rendered, renderer.params)


def _rendered(renderer: Renderer, clips: list[Clip]) -> Generator[npt.NDArray[np.int16]]:
    settings = renderer.params
    yield from parallel.ordered_map(renderer, clips, workers=settings.workers, cluster=settings.cluster)


def _write(path: Path, clips: list[Clip], rendered: Iterator[npt.NDArray[np.int16]], settings: Params) -> None:
    classes = test_sets.label_columns(clips[0].split, settings.classes) if clips else settings.classes
    labels, unknown = manifest.label_arrays(clips, classes)
    with hdf5.create(
        path,
        name="audio",
        shape=(settings.clip.samples, *separation.axis_of(settings.spectrogram.part)),
        dtype=np.int16,
        ids=[clip.id for clip in clips],
        labels=labels,
        classes=classes,
        unknown=unknown,
        compression={},  # gzip would take a third of this process's time, and save 30 % of a file that is read once
        sample_rate=settings.clip.sample_rate,
    ) as writer:
        for y in tqdm(islice(rendered, len(clips)), total=len(clips), desc=path.stem, unit="clip"):
            writer.append(y[np.newaxis])
