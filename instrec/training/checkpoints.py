"""The state of a training after an epoch: a killed training resumes from it."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from instrec.models.backend import keras
from instrec.params import Params, TrainParams
from instrec.training import warm_start, weight_averaging
from instrec.util import provenance
from instrec.util.files import written_whole

_log = logging.getLogger(__name__)

Row = dict[str, float]

# All of the state lies in zip files, as Keras's own do: they have checksums.
_HISTORY, _ROWS = "history.zip", "history.json"


def saved(place: Path, epoch: int) -> Path:
    return place / f"epoch-{epoch}.keras"


def resumed(train: TrainParams, place: Path) -> list[Row]:
    """Return the history that a killed training left; begin anew where a file of its state is damaged or missing."""
    if not (place / _HISTORY).exists():
        return []
    try:
        with zipfile.ZipFile(place / _HISTORY) as file:
            history: list[Row] = json.loads(file.read(_ROWS))
        for path in [place / "best.keras", *(saved(place, number) for number in _kept(train, len(history)))]:
            with zipfile.ZipFile(path) as file:
                if file.testzip():
                    raise zipfile.BadZipFile(path)
    except Exception as error:  # zipfile and the decoders have many of their own
        _log.warning("%s: damaged (%s); training begins anew", place, type(error).__name__)
        shutil.rmtree(place)
        return []
    return history


def _kept(train: TrainParams, epochs: int) -> range:
    """Return which epochs' models are kept after so many epochs."""
    return range(max(1, epochs - max(1, weight_averaging.epochs(train)) + 1), epochs + 1)


def keep(train: TrainParams, place: Path, model: Any, history: list[Row], *, best: bool) -> None:
    """Save the state after an epoch, and its model as the best one if it is.

    The history is written last, and makes the state valid.
    """
    number = len(history)
    with written_whole(saved(place, number)) as part:
        written = part.with_suffix(".keras")
        model.save(written)
        written.replace(part)
    if best:
        shutil.copyfile(saved(place, number), place / "best.part")
        (place / "best.part").replace(place / "best.keras")
    with written_whole(place / _HISTORY) as part, zipfile.ZipFile(part, "w") as file:
        file.writestr(_ROWS, json.dumps(history))
    saved(place, number - max(1, weight_averaging.epochs(train))).unlink(missing_ok=True)


def key(params: Params, spectrograms: Path) -> str:
    """Name the inputs of training: with another learning rate, data or code, it must not resume from this state.

    A parallel experiment must not, either.
    """
    settings = asdict(params)
    for section in ("evaluate", "tracking", "workers", "cluster"):
        settings.pop(section)
    surroundings = keras.backend.backend(), provenance.CODE, provenance.apart()
    digest = hashlib.sha256(json.dumps([settings, *surroundings], sort_keys=True).encode())
    paths = [spectrograms / "train.h5", spectrograms / "valid.h5"]
    if (start := warm_start.path(params)) and start.is_file():
        paths.append(start)
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
