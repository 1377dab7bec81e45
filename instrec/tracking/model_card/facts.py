"""The facts of a released model: gathered from the working tree that made it, and kept in git."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from instrec import params
from instrec.corpus import manifest
from instrec.errors import UserError
from instrec.evaluation import bootstrap, metrics
from instrec.tracking.model_card.schema import SCHEMA
from instrec.util import documents
from instrec.util.files import md5, written_whole
from instrec.util.seeding import generator

Facts = Mapping[str, Any]
"""Sections `model`, `classes`, `params`, `clips`, `epochs`, `scores`, `recordings`, `date`; see `gather`."""

_REMEDY = "`dvc repro` makes what belongs to a model"
_ROUNDS = 1000  # resamplings behind the intervals on recordings
_MOST_FILES = 1_000_000  # recordings; each takes memory here


def gather(folder: Path, date: str, recordings: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Gather the results of the pipeline in a working tree.

    Parameters
    ----------
    folder : the working tree.
    date : of the release, as text.
    recordings : sets of them, each with `of`, what they are, and `figures`, what `evaluation` gives of them.

    Returns
    -------
    `date`; `model`: `md5`, `bytes`, `weights`, `network`; `classes`: {name: threshold}; `params`: params.yaml;
    `clips`: by split, `train` and `valid`: `clips`, `noisy`, `recordings`, `soundfonts` {name: clips}; `epochs`;
    `scores`: metrics/test.json; `recordings`: of each set `of`, `files`, `per_class` and metrics with their intervals.

    Raises
    ------
    UserError
        If something is missing, or the model was trained with other parameters than params.yaml.
    """
    from instrec.models import classifier

    path = folder / "models/classifier.keras"
    trained = classifier.load(path)
    parameters = params.load(folder / "params.yaml")
    for section in ("classes", "clip", "spectrogram"):
        if getattr(trained.card, section) != getattr(parameters, section):
            raise UserError(
                "model-outdated", path, f"trained with other `{section}` than params.yaml has; run `dvc repro`"
            )
    clips = manifest.read(folder / "build/manifest.csv")
    return {
        "date": date,
        "model": {
            "md5": md5(path),
            "bytes": path.stat().st_size,
            "weights": trained.model.count_params(),
            "network": trained.model.name,
        },
        "classes": dict(zip(trained.card.classes, trained.card.thresholds, strict=True)),
        "params": documents.load_yaml(folder / "params.yaml"),
        "clips": {split: counted(manifest.of_split(clips, split)) for split in ("train", "valid")},
        "epochs": len(_text(folder / "models/history.csv").splitlines()) - 1,
        "scores": _tree(folder / "metrics/test.json"),
        "recordings": [{"of": each["of"], **each["figures"]} for each in recordings],
    }


def save(path: Path, facts: Facts) -> None:
    """Write facts for `read`."""
    with written_whole(path) as part:
        part.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Facts:
    """Read the facts that `save` wrote.

    Raises
    ------
    UserError
        If they are missing or damaged.
    """
    facts = _tree(path)
    try:
        SCHEMA.validate_python(facts, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise UserError("value-invalid", path, f"{name}: {first['msg'].lower()}; `make release` writes it") from error
    return facts


def evaluation(path: Path) -> dict[str, Any]:
    """Read metrics of recordings with their intervals from what `instrec evaluate --json` wrote.

    For a folder, the intervals are computed from the confusion matrix. For a table they are there, over groups.

    Returns
    -------
    `name`, that of the file; `files`, `per_class`, metrics and `intervals`, for a table `groups`; no names of files.

    Raises
    ------
    UserError
        If it is missing or something else.
    """
    with documents.expected(path, "write it again: instrec evaluate FOLDER --json"):
        figures = _tree(path)
        per_class = {name: each for name, each in figures["per_class"].items() if each["files"]}
        if "groups" in figures:
            numbers = {name: figures[name] for name in ("groups", *figures["intervals"])}
            measured = {**numbers, "intervals": figures["intervals"]}
        else:
            measured = _of_confusion(np.array(figures["confusion"]["matrix"], np.uint32), figures["files"])
        return {"name": path.stem, "files": figures["files"], "per_class": per_class, **measured}


def _of_confusion(matrix: NDArray[np.uint32], files: int) -> dict[str, Any]:
    if matrix.shape != (len(matrix),) * 2 or not matrix.sum() == files <= _MOST_FILES:
        raise ValueError(f"a confusion matrix of shape {matrix.shape} for {files} files")
    actual, decided = (np.repeat(index, matrix.ravel()) for index in np.indices(matrix.shape).reshape(2, -1))
    classes = np.eye(len(matrix), dtype=np.uint8)
    return bootstrap.evaluate(
        partial(metrics.solo, classes[actual], classes[decided]),
        clips=len(actual),
        rounds=_ROUNDS,
        rng=generator(0, "recordings"),
    )


def counted(clips: Iterable[manifest.Clip]) -> dict[str, Any]:
    """Count clips: all, those with noise, recordings, and by SoundFont, where a mixture may count for several."""
    clips = list(clips)
    fonts = Counter(name for clip in clips for name in set(clip.soundfont.split(manifest.FONTS)) if name)
    return {
        "clips": len(clips),
        "noisy": sum(clip.noise == manifest.NOISY for clip in clips),
        "recordings": sum(clip.source == manifest.RECORDING for clip in clips),
        "soundfonts": dict(sorted(fonts.items())),
    }


def _tree(path: Path) -> dict[str, Any]:
    tree = documents.load_json(path, remedy=_REMEDY)
    if not isinstance(tree, dict):
        raise UserError("not-a-mapping", path, "not a JSON object")
    return tree


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError("document-unreadable", path, f"cannot be read ({error}); {_REMEDY}") from error
