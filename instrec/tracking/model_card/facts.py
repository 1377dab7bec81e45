"""The facts of a released model: gathered from the working tree that made it, and kept in git."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from instrec import params
from instrec.corpus import manifest
from instrec.errors import UserError
from instrec.evaluation import metrics
from instrec.tracking.model_card.schema import SCHEMA
from instrec.util import documents
from instrec.util.files import md5, written_whole
from instrec.util.seeding import generator

Facts = Mapping[str, Any]
"""Sections `model`, `classes`, `params`, `clips`, `epochs`, `scores`, `recordings`, `date`; see `gather`."""

_REMEDY = "`dvc repro` makes what belongs to a model"
_ROUNDS = 1000  # resamplings behind the intervals on recordings
_MOST_FILES = 1_000_000  # recordings; each takes memory here


def gather(folder: Path, date: str, recordings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Gather the results of the pipeline in a working tree.

    Parameters
    ----------
    folder : the working tree.
    date : of the release, as text.
    recordings : `of`, what they are, and `figures`, what `evaluation` gives of them.

    Returns
    -------
    `date`; `model`: `md5`, `bytes`, `weights`, `network`; `classes`: {name: threshold}; `params`: params.yaml;
    `clips`: by split, `train` and `valid`: `clips`, `noisy`, `recordings`, `soundfonts` {name: clips}; `epochs`;
    `scores`: metrics/test.json; `recordings`: `of`, `files`, `per_class` and figures with their intervals, or None.

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
        "clips": {split: _counted(manifest.of_split(clips, split)) for split in ("train", "valid")},
        "epochs": len(_text(folder / "models/history.csv").splitlines()) - 1,
        "scores": _tree(folder / "metrics/test.json"),
        "recordings": recordings and {"of": recordings["of"], **recordings["figures"]},
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
    """Compute metrics of recordings with intervals, from the confusion matrix that `instrec evaluate --json` wrote.

    Returns
    -------
    `files`, `per_class`, metrics and `intervals`, without names of files.

    Raises
    ------
    UserError
        If it is missing or something else.
    """
    with documents.expected(path, "write it again: instrec evaluate FOLDER --json"):
        figures = _tree(path)
        matrix = np.array(figures["confusion"]["matrix"], np.uint32)
        if matrix.shape != (len(matrix),) * 2 or not matrix.sum() == figures["files"] <= _MOST_FILES:
            raise ValueError(f"a confusion matrix of shape {matrix.shape} for {figures['files']} files")
        actual, decided = (np.repeat(index, matrix.ravel()) for index in np.indices(matrix.shape).reshape(2, -1))
        classes = np.eye(len(matrix), dtype=np.uint8)
        measured = metrics.evaluate(
            partial(metrics.solo, classes[actual], classes[decided]),
            clips=len(actual),
            rounds=_ROUNDS,
            rng=generator(0, "recordings"),
        )
        return {"files": figures["files"], "per_class": figures["per_class"], **measured}


def _counted(clips: Iterable[manifest.Clip]) -> dict[str, Any]:
    rows = [asdict(clip) for clip in clips]
    return {
        "clips": len(rows),
        "noisy": sum(row["noise"] == manifest.NOISY for row in rows),
        "recordings": sum(row["source"] == manifest.RECORDING for row in rows),
        "soundfonts": dict(sorted(Counter(row["soundfont"] for row in rows if row["soundfont"]).items())),
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
