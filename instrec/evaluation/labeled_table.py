"""How well a model names the instruments of files with several labels each, which a CSV table lists."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec import taxonomy
from instrec.errors import UserError, shown
from instrec.evaluation import bootstrap, metrics, protocols
from instrec.evaluation.labeled_folder import asked, laid_out
from instrec.inference import batch, prediction
from instrec.inference.model import Model
from instrec.inference.prediction import Prediction
from instrec.util.progress import tqdm
from instrec.util.seeding import generator

_log = logging.getLogger(__name__)

ROUNDS = 1000  # of the bootstrap
_SEPARATOR = ";"
_SINGLE = {"top-1": "top1", "macro recall": "macro_recall"}  # of one instrument per file
_TITLES = {"micro F1": "micro_f1", "macro F1": "macro_f1", "LRAP": "lrap"}


@dataclass(frozen=True)
class Labeled:
    """A file and what is known of it.

    Attributes
    ----------
    present, absent : classes that sound, and that do not; of all others nothing is known.
    group : what was recorded together, such as a song.
    """

    path: Path
    present: frozenset[str]
    absent: frozenset[str]
    group: str


def read(path: Path, classes: tuple[str, ...]) -> tuple[list[Labeled], list[dict[str, str]]]:
    """Read a table with columns `file` and `labels`, and perhaps `absent` and `group`.

    Files are relative to the table. Labels are separated by `;`. With a column `absent`, a class in neither is
    unlabeled, which is not absent: it counts for nothing. Without, all other classes are absent.

    Returns
    -------
    The files, and the labels that were left out, each with `file` and `reason`.

    Raises
    ------
    UserError
        When the table cannot be read, lacks a column or a row, has two rows of one file, or a class is both present and
        absent.
    """
    rows = _rows(path)
    found: list[Labeled] = []
    skipped, lines = [], dict[Path, int]()
    columns = rows[0][1].keys()
    for number, row in rows:
        place = path.parent / row["file"]
        if (first := lines.setdefault(place, number)) != number:
            raise UserError(
                "table-invalid",
                f"{path}: line {number}",
                f"{row['file']} is in line {first} already; put all of its labels into one row: a;b",
            )
        present, unknown = _classes(row["labels"], classes)
        absent, _ = _classes(row["absent"], classes) if "absent" in columns else (set(classes) - present, set())
        if both := present & absent:
            raise UserError(
                "table-invalid",
                f"{path}: line {number}",
                f"{min(both)} is both present and absent; leave it in one of the two",
            )
        found.append(Labeled(place, frozenset(present), frozenset(absent), row.get("group") or str(place)))
        skipped += [{"file": shown(place), "reason": f"label {each!r}: no class of the model's"} for each in unknown]
    return found, skipped


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table, each with the number of its line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows, columns = [(table.line_num, row) for row in table], table.fieldnames or ()
    except OSError as error:
        raise UserError("table-invalid", path, f"{(error.strerror or str(error)).lower()}; check the name") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError("table-invalid", path, f"cannot be read as CSV ({error}); write it in UTF-8") from error
    if not {"file", "labels"} <= set(columns) or len(set(columns)) < len(columns) or not rows:
        raise UserError(
            "table-invalid",
            path,
            "needs columns file and labels, each once, with commas between, and a row; absent and group may follow",
        )
    for number, row in rows:
        if None in row or None in row.values():  # of csv.DictReader: too many, or too few
            raise UserError(
                "table-invalid",
                f"{path}: line {number}",
                f"must have {len(columns)} cells, as the first line has; between labels goes `{_SEPARATOR}`",
            )
    return rows


def _classes(text: str, classes: tuple[str, ...]) -> tuple[set[str], list[str]]:
    labels = {each.strip() for each in text.split(_SEPARATOR)} - {""}
    named = {label: taxonomy.class_named(label) or label for label in labels}
    return {name for name in named.values() if name in classes}, sorted(
        label for label, name in named.items() if name not in classes
    )


def evaluate_table(table: Path, model: Model, *, track: int | None = None) -> dict[str, Any]:
    """Score a model on files with any number of labels.

    A class is detected in a file as `instrec predict` detects it; its strength is the highest of its timeline. Where
    each file has one label, its strongest class is that of the mean over windows, as in `evaluate_folder`, but at the
    hop of `instrec predict`, a sixth of a window instead of a half: of some long files, it is another one.

    Returns
    -------
    dict
        `files`, `groups`, `skipped`; `micro_f1`, `macro_f1`, `lrap` and the other metrics of `metrics.agreement`;
        `top1` and `macro_recall` where each file has one label;
        `intervals`: 95 % of each, from drawing groups with replacement; `per_class`: {name: {`precision`, `recall`,
        `f1`, `files`}} of the classes with a label.

    Raises
    ------
    UserError
        When the table cannot be used, or none of its files can be scored.
    """
    classes = asked(model.classes)
    columns = protocols.answering(classes, model.classes)
    listed, skipped = read(table, classes)
    single = all(len(each.present) == 1 and each.present | each.absent == set(classes) for each in listed)
    scored, strengths, decisions, scores = [], [], [], []

    def work(path: Path, **settings: Any) -> tuple[Prediction, NDArray[np.float64] | None]:
        said = prediction.predict(path, model, track=track, **settings)
        return said, prediction.mean_presence(said.activations) if single else None

    results = batch.each([each.path for each in listed], work)
    with closing(results), tqdm(results, total=len(listed), unit="file", disable=None, leave=False) as bar:
        for each, result in zip(listed, bar, strict=True):
            if isinstance(result, UserError):
                skipped.append({"file": shown(each.path), "reason": str(result).removeprefix(f"{each.path}: ")})
                continue
            said, score = result
            for line in said.activations.warnings:
                _log.warning(line)
            detected = {instrument.name for instrument in said.instruments}
            scored.append(each)
            strengths.append(said.timeline.max(axis=0))
            scores.append(score)
            decisions.append([name in detected for name in model.classes])
    if not scored:
        raise UserError("folder-empty", table, f"no file can be scored; the first: {skipped[0]['reason']}")
    present, absent = (
        np.array([[name in getattr(each, kind) for name in classes] for each in scored], np.uint8)
        for kind in ("present", "absent")
    )
    known = (present | absent) > 0
    found, strength = (protocols.answers(np.array(each), columns) for each in (decisions, strengths))
    found = found.astype(np.uint8) * known
    score_of_file = protocols.answers(np.array(scores), columns) if single else None
    groups = [each.group for each in scored]
    return {
        "files": len(scored),
        "skipped": skipped,
        **_metrics(present, known, found, strength, groups, score_of_file),
        "per_class": _per_class(classes, present, known, found),
    }


def _metrics(
    present: metrics.Array,
    known: metrics.Array,
    found: metrics.Array,
    strength: metrics.Array,
    groups: list[str],
    score: metrics.Array | None,
) -> dict[str, Any]:
    _, group = np.unique(groups, return_inverse=True)

    def measure(weights: metrics.Array | None) -> dict[str, metrics.Array]:
        of_files = None if weights is None else weights[:, group]
        strongest = {} if score is None else metrics.solo(present, score, of_files)
        return {
            **metrics.agreement(present, found, of_files),
            "lrap": metrics.lrap(present, np.where(known, strength, metrics.UNKNOWN), of_files),
            **{name: strongest[name] for name in strongest if name in ("top1", "macro_recall")},
        }

    number = int(group.max()) + 1
    result = bootstrap.evaluate(measure, clips=number, rounds=ROUNDS, rng=generator(0, "labels"))
    return {"groups": result.pop("clips"), **result}


def _per_class(
    classes: tuple[str, ...], present: metrics.Array, known: metrics.Array, found: metrics.Array
) -> dict[str, dict[str, float]]:
    keys = ("precision", "recall", "f1", "files")
    return {
        name: dict(zip(keys, values, strict=True))
        for name, values, labeled in zip(classes, metrics.per_class(present, found), known.T, strict=True)
        if labeled.any()
    }


def labels_table(result: Mapping[str, Any]) -> str:
    """Lay out what `evaluate_table` found: as of a folder, but each mean with its interval."""
    means = [
        f"{title} {100 * result[name]:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        for title, name in ({**_SINGLE, **_TITLES} if "top1" in result else _TITLES).items()
        for low, high in [result["intervals"][name]]
    ]
    return laid_out(result, f"{result['files']} scored, in {result['groups']} groups: {', '.join(means)}")
