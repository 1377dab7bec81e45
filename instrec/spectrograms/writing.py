"""From a store of clips to one of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from instrec import store
from instrec.errors import UserError
from instrec.spectrograms.representation import Representation

_BATCH = 64  # clips in memory at a time


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
