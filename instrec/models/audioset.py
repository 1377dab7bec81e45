"""Weights of a network that was trained on AudioSet, from a public repository at a pinned commit.

The weights are EfficientAT's mn04_as (MIT license, 0.432 mean average precision on AudioSet), in a copy in git, as git
reaches no release's files. PyTorch wrote them: a zip file of the tensors' bytes, in their order, and a pickle that
describes them. The pickle is not read, as the network knows the shapes and the checksum fixes all else.

Source: Schmid, Koutini & Widmer, Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation
(ICASSP 2023).
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from instrec.errors import UserError
from instrec.util import repositories
from instrec.util.files import temporary_folder, written_whole

_COUNTER = 8  # bytes of a number of batches, which PyTorch keeps beside the statistics of each normalization


@dataclass(frozen=True)
class Checkpoint:
    """A file of a public repository at a commit, with its SHA-256 in hexadecimal and its license and holder."""

    url: str
    commit: str
    path: str
    sha256: str
    terms: str


MN04 = Checkpoint(
    "https://github.com/nikih94/swch-audio-classification",
    "2b362d97544673ef1da403b44ecbe1174d8619ec",
    "resources/mn04_as_mAP_432.pt",
    "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
    "MIT, Florian Schmid",
)


def assign(parts: Iterable[Any], checkpoint: Checkpoint) -> None:
    """Give Keras layers or models, in the order of the network, the weights of a checkpoint, as far as they go.

    PyTorch has filters over bands and frames, and outputs before inputs: the axes are those of Keras, reversed.

    Raises
    ------
    UserError
        If the checkpoint cannot be fetched, or is not the pinned one.
    """
    weights = [weight for part in parts for weight in part.weights]
    for weight, values in zip(weights, _tensors(find(checkpoint)), strict=False):
        weight.assign(values.reshape(weight.shape[::-1]).T)


def _tensors(path: Path) -> list[NDArray[np.float32]]:
    """Return the tensors of a PyTorch file in their order, flat."""
    with zipfile.ZipFile(path) as file:
        numbers = range(sum("/data/" in name for name in file.namelist()))
        stored = [file.read(f"archive/data/{number}") for number in numbers]
    return [np.frombuffer(each, "<f4") for each in stored if len(each) != _COUNTER]


def find(checkpoint: Checkpoint) -> Path:
    """Return the file of a checkpoint, fetched once for this user and compared with its checksum every time.

    Raises
    ------
    UserError
        If the repository cannot be reached, or the file there has another checksum.
    """
    cached = platformdirs.user_cache_path("instrec") / checkpoint.sha256[:12] / Path(checkpoint.path).name
    if cached.is_file() and _sha256(cached) == checkpoint.sha256:
        return cached
    with temporary_folder() as folder:
        repositories.fetch(
            folder,
            checkpoint.url,
            checkpoint.commit,
            [f"/{checkpoint.path}"],
            terms=checkpoint.terms,
            remedy="set model.weights: none and train.teacher_weight: 0 in params.yaml to train without",
        )
        fetched = folder / checkpoint.path
        if not fetched.is_file() or (found := _sha256(fetched)) != checkpoint.sha256:
            what = f"SHA-256 {found}" if fetched.is_file() else "no file"
            raise UserError(
                "checksum-mismatch",
                f"{checkpoint.url}: {checkpoint.path}",
                f"{what} there, expected {checkpoint.sha256}; point git's url.<mirror>.insteadOf to another copy",
            )
        with written_whole(cached) as part:
            shutil.copyfile(fetched, part)
    return cached


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
