"""JSON: the repository's own files, each read by what reads it in the product."""

from __future__ import annotations

import functools
import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

from tests.fuzz import mutations
from tests.fuzz.formats.readers import ROOT, by_name, of_repository
from tests.fuzz.harness import Format


def _metrics(path: Path) -> None:
    from instrec.tracking.gate import commits, comparison
    from instrec.tracking.report import metric_tables

    comparison.figures(commits.mapping(Path(), path) or {})
    assert metric_tables.read()


def _summary(path: Path) -> None:
    from instrec.tracking import summary

    Path("metrics").mkdir()
    Path("metrics/test.json").write_bytes(path.read_bytes())
    try:
        with redirect_stdout(io.StringIO()):
            summary.main()
    finally:
        Path("metrics/test.json").unlink()


def _facts(path: Path) -> None:
    from instrec.synthesis.soundfonts import libraries
    from instrec.tracking import model_card

    libraries._catalog.cache_clear()
    shutil.copy(ROOT / "libraries.yaml", ".")  # has the licenses of SoundFonts made of sound libraries
    try:
        model_card.write(Path("card.md"), path)
    finally:
        for written in ("card.md", "libraries.yaml"):
            Path(written).unlink(missing_ok=True)


def _figures(path: Path) -> None:
    from instrec.tracking.model_card import facts

    assert isinstance(facts.evaluation(path), dict)


def _systems(path: Path) -> None:
    from instrec.tracking.reproductions import baselines, page, recipes, results

    own = {"params_file": ROOT / "params.yaml", "data": ROOT / "data"}
    try:
        with mock.patch.dict(baselines.DRAWS, dict.fromkeys(baselines.DRAWS, 1)):
            page.write(Path("page.md"), recipes.compared(ROOT / "recipes"), results.read(path), **own)
    finally:
        Path("page.md").unlink(missing_ok=True)


def _noise(path: Path) -> None:
    from instrec.synthesis import rendering

    rendering._frozen_noise.cache_clear()
    assert isinstance(rendering._frozen_noise(path), dict)


def _index(path: Path) -> None:
    from dataclasses import replace

    from instrec.corpus.published.mirdata_loader import Remote
    from instrec.corpus.published.tinysol import TINYSOL

    corpus = replace(TINYSOL, remotes=(Remote(path.name, "", ""),))
    assert isinstance(corpus._indexed(Path()), dict)


def _first(name: str, count: int) -> bytes:
    """Return the first entries of one of the repository's files, which is long."""
    tree = json.loads(of_repository(name))
    part = tree[:count] if isinstance(tree, list) else dict(list(tree.items())[:count])
    return json.dumps(part, indent=1).encode()


@functools.cache
def _json_seeds() -> dict[str, bytes]:
    metrics = of_repository("metrics/test.json")
    found = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "files": 2}
    figures = {"files": 4, "per_class": {"violin": found, "flute": found}, "confusion": {"matrix": [[2, 0], [0, 2]]}}
    index = {"version": "1", "tracks": {"a": {"audio": ["a.wav", "0" * 32]}}, "metadata": {"list": ["b.csv", "1" * 32]}}
    return {
        "metrics/test.json": metrics,
        "summary.json": metrics,
        "released/classifier.json": of_repository("released/classifier.json"),
        "figures.json": json.dumps(figures, indent=1).encode(),
        "docs/systems.json": _first("docs/systems.json", 3),
        "noise.json": _first("data/noise.json", 20),
        "index.json": json.dumps(index, indent=1).encode(),
    }


JSON = Format(
    90,
    _json_seeds,
    mutations.document,
    by_name(
        {
            "metrics/test.json": _metrics,
            "summary.json": _summary,
            "released/classifier.json": _facts,
            "figures.json": _figures,
            "docs/systems.json": _systems,
            "noise.json": _noise,
            "index.json": _index,
        }
    ),
    (
        *(
            "instrec.tracking.report.metric_tables",
            "instrec.tracking.summary",
            "instrec.tracking.model_card.facts",
            "instrec.tracking.reproductions.results",
        ),
        *("instrec.util.documents", "instrec.synthesis.rendering"),
        *("instrec.corpus.published.mirdata_loader", "instrec.tracking.gate.commits"),
    ),
)
