"""How well a model names the instruments of labeled recordings: a folder with one sub-folder per class."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec import taxonomy
from instrec.audio import decoding
from instrec.errors import UserError, shown
from instrec.evaluation import metrics, protocols
from instrec.inference import batch, prediction
from instrec.inference.activations import Activations, activations_of
from instrec.inference.model import Model
from instrec.util.files import below
from instrec.util.progress import tqdm
from instrec.util.text import aligned

_log = logging.getLogger(__name__)


def evaluate_folder(folder: Path, model: Model, *, track: int | None = None) -> dict[str, Any]:
    """Score a model on labeled recordings.

    Parameters
    ----------
    track : which audio track of the files, from 1 on; see `audio.blocks`.

    Returns
    -------
    dict
        `files` (how many were scored), `skipped` (a list of file and reason), and the metrics of
        `figures`: `top1`, `macro_recall`, `macro_f1`, `per_class`, `confusion`.

    Raises
    ------
    UserError
        If the folder is missing, has no sub-folders with files, or none of its files can be scored.
    """
    classes = asked(model.classes)
    columns = protocols.answering(classes, model.classes)
    labeled, skipped = find(folder, classes)
    labels, scores = [], []

    def work(path: Path, **settings: Any) -> tuple[Activations, NDArray[np.float64]]:
        activations = activations_of(path, model, track=track, **settings)
        return activations, prediction.mean_presence(activations)

    found = batch.each([path for path, _ in labeled], work)
    with closing(found), tqdm(found, total=len(labeled), unit="file", disable=None, leave=False) as bar:
        for (path, label), each in zip(labeled, bar, strict=True):
            if isinstance(each, UserError):
                skipped.append(_skipped(path, str(each).removeprefix(f"{path}: ")))
                continue
            activations, score = each
            scores.append(score)
            labels.append(label)
            for line in activations.warnings:
                _log.warning(line)
    if not scores:
        first = f"{skipped[0]['file']}: {skipped[0]['reason']}"
        raise UserError("all-files-skipped", folder, f"no file can be scored; the first: {first}")
    return {
        "files": len(scores),
        "skipped": skipped,
        **figures(labels, protocols.answers(np.array(scores), columns), classes),
    }


def figures(labels: Sequence[str], scores: NDArray[np.float64], classes: Sequence[str]) -> dict[str, Any]:
    """Measure files that hold one instrument each.

    Parameters
    ----------
    labels : class of each file, one of `classes`.
    scores : strength of each class in each file, 0..1 [shape=(files, classes)].
    classes : names of the columns of `scores`.

    Returns
    -------
    `top1`, `macro_recall`, `macro_f1`; `per_class`: {name: {`precision`, `recall`, `f1`, `files`}} for the
    classes that have files; `confusion`: {`classes`, `matrix`}, where a row is the actual class, a column the
    class decided for, and a cell the number of files.

    Raises
    ------
    ValueError
        If there is no file, a label is not a class, or shapes do not agree.
    """
    wanted = np.eye(len(classes), dtype=np.uint8)[[classes.index(label) for label in labels]]
    metrics.validate(wanted, scores)
    found = metrics.strongest(scores)
    each = zip(classes, metrics.per_class(wanted, found), strict=True)
    means = metrics.solo(wanted, scores)
    return {
        **{name: float(means[name]) for name in ("top1", "macro_recall", "macro_f1")},
        "per_class": {
            name: {"precision": precision, "recall": recall, "f1": f1, "files": files}
            for name, (precision, recall, f1, files) in each
            if files
        },
        "confusion": {"classes": list(classes), "matrix": (wanted.T.astype(np.int64) @ found).tolist()},
    }


def asked(classes: Iterable[str]) -> tuple[str, ...]:
    """Return the classes that a model can be asked for: its own, but instruments in place of their programs."""
    instrument_of = {f"gm_{program:03}": name for program, name in taxonomy.CLASS_OF_PROGRAM.items()}
    return tuple(dict.fromkeys(instrument_of.get(name, name) for name in classes))


def find(folder: Path, classes: Iterable[str]) -> tuple[list[tuple[Path, str]], list[dict[str, str]]]:
    """Find every file below the sub-folders of `folder`: those to score with their class, and those left out, each with
    `file` and `reason`.

    Raises
    ------
    UserError
        If the folder is missing, is a file, or has no sub-folders with files.
    """
    if not folder.is_dir():
        raise UserError("not-a-folder", folder, "not a folder; give one with a sub-folder per class, or a table, *.csv")
    known = set(classes)
    labeled: list[tuple[Path, str]] = []
    skipped: list[dict[str, str]] = []
    for path in sorted(below(folder, lambda denied, reason: skipped.append(_skipped(denied, reason)))):
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.parent == folder:
            if path.suffix.lower() in decoding.SUFFIXES:  # a README may well lie there
                skipped.append(_skipped(path, "lies in no class's folder; move it into one"))
            continue
        name = path.relative_to(folder).parts[0]
        label = taxonomy.class_named(name)
        if label not in known:
            skipped.append(_skipped(path, f"the model knows no class {name!r}"))
        elif path.suffix.lower() not in decoding.SUFFIXES:
            skipped.append(_skipped(path, f"not an audio file by its ending, {path.suffix!r}"))
        else:
            labeled.append((path, str(label)))
    if all(Path(each["file"]).parent == folder for each in skipped) and not labeled:
        raise UserError("folder-empty", folder, "no files in sub-folders; put recordings in one sub-folder per class")
    return labeled, skipped


def _skipped(path: Path, reason: str) -> dict[str, str]:
    return {"file": shown(path), "reason": reason}


def evaluation_table(result: Mapping[str, Any]) -> str:
    """Lay out what `evaluate_folder` found."""
    means = (
        f"{result['files']} scored: top-1 {100 * result['top1']:.1f} %, "
        f"macro recall {100 * result['macro_recall']:.1f} %, macro F1 {100 * result['macro_f1']:.1f} %"
    )
    return laid_out(result, means)


def laid_out(result: Mapping[str, Any], means: str) -> str:
    """Lay out a line per class that has files, the line of means, and what was left out: a line per reason."""
    rows = [("class", "files", "precision", "recall", "F1")]
    for name, values in result["per_class"].items():
        if values["files"]:
            percentages = (f"{100 * values[key]:.1f} %" for key in ("precision", "recall", "f1"))
            rows.append((name, str(values["files"]), *percentages))
    files = defaultdict(list)
    for each in result["skipped"]:
        files[each["reason"]].append(each["file"])
    left_out = (
        f"left out: {paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {shown(reason)}"
        for reason, paths in files.items()
    )
    return "\n".join([*aligned(rows, right=(1, 2, 3, 4)), "", means, *left_out])
