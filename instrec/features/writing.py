"""Compute a store of features from a store of clips."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.features.representation import Representation
from instrec.util import hdf5, parallel
from instrec.util.progress import tqdm

_BATCH = 64  # clips in memory at a time


def write(path: Path, audio: Path, representation: Representation, *, workers: int = 0, cluster: str = "") -> None:
    """Transform a store of int16 audio into one of float16 features, with a progress bar.

    `workers` is the number of threads; 0 means one per core. The number does not change a byte. If `cluster` is the
    address of a Dask scheduler, its workers compute the features, with one thread each.

    Raises
    ------
    UserError
        If `audio` is missing or damaged, or has clips of another shape.
    """
    with hdf5.open_store(audio) as clips:
        if clips.shape != representation.sound:
            raise UserError(
                "store-outdated",
                audio,
                f"clips of shape {clips.shape} where `clip` and `spectrogram.part` in params.yaml ask for "
                f"{representation.sound}; run `dvc repro synthesize`",
            )
        with (
            hdf5.create(
                path,
                name="features",
                shape=representation.shape,
                dtype=np.float16,
                ids=clips.ids,
                labels=clips.labels,
                classes=clips.classes,
                unknown=clips.unknown,
            ) as writer,
            tqdm(total=len(clips), desc=path.stem, unit="clip") as progress,
        ):
            transform = partial(_features, representation, threads=1 if cluster else workers or None)
            # Without a cluster, in this process: its threads share the audio, which other processes would have to
            # receive.
            for features in parallel.ordered_map(transform, clips.batches(_BATCH), workers=1, cluster=cluster, chunk=1):
                writer.append(features)
                progress.update(len(features))


def _features(
    representation: Representation, sound: npt.NDArray[np.int16], *, threads: int | None
) -> npt.NDArray[np.float16]:
    return representation.batch(sound.astype(np.float32) / np.float32(32768), threads=threads).astype(np.float16)
