"""YAML: the repository's own files, each read by what reads it in the product."""

from __future__ import annotations

import functools
from pathlib import Path

from tests.fuzz import mutations
from tests.fuzz.formats.readers import by_name, of_repository
from tests.fuzz.harness import Format


def _params(path: Path) -> None:
    from instrec import params

    assert isinstance(params.load(path), params.Params)


def _recipe(path: Path) -> None:
    from instrec.tracking.reproductions import recipes

    recipe = recipes.load(path.parent, path.stem)
    recipes.rows([recipe])
    Path("params.yaml").write_bytes(of_repository("params.yaml"))
    try:
        recipes.settings(Path("params.yaml"), recipe.params, str(path))
    finally:
        Path("params.yaml").unlink()


def _rules(path: Path) -> None:
    from instrec.tracking.gate import rules

    assert all(isinstance(each, rules.Rule) for each in rules.load(path))


def _libraries(path: Path) -> None:
    from instrec.synthesis.soundfonts import libraries

    libraries.CATALOG = path
    libraries._catalog.cache_clear()
    assert isinstance(libraries.catalog(), libraries.Catalog)


def _mapping(path: Path) -> None:
    from instrec.tracking.gate import commits

    assert isinstance(commits.mapping(Path(), path), dict | None)


def _pipeline(path: Path) -> None:
    from instrec.tracking.report import charts

    assert all(isinstance(name, str) for name in charts.stages())


def _tracked(path: Path) -> None:
    from instrec.tracking.mlflow import runs

    assert isinstance(runs.md5(path), str)


def _songs(path: Path) -> None:
    from instrec.corpus.published.medleydb import MEDLEYDB

    assert list(MEDLEYDB.sounds(Path())), "neither stems nor a reason"


_SONG = """artist: A Test
has_bleed: 'no'
stem_dir: song_STEMS
stems:
  S01:
    filename: song_STEM_01.wav
    instrument: violin
  S02:
    filename: song_STEM_02.wav
    instrument: [flute, piano]
"""


@functools.cache
def _yaml_seeds() -> dict[str, bytes]:
    names = ("params.yaml", "recipes/segal2016.yaml", "gate.yaml", "libraries.yaml", "dvc.lock", "dvc.yaml", "data.dvc")
    return {name: of_repository(name) for name in names} | {"song/song_METADATA.yaml": _SONG.encode()}


YAML = Format(
    90,
    _yaml_seeds,
    mutations.document,
    by_name(
        {
            "params.yaml": _params,
            "recipes/segal2016.yaml": _recipe,
            "gate.yaml": _rules,
            "libraries.yaml": _libraries,
            "dvc.lock": _mapping,
            "dvc.yaml": _pipeline,
            "data.dvc": _tracked,
            "song/song_METADATA.yaml": _songs,
        }
    ),
    (
        *(
            "instrec.params",
            "instrec.tracking.reproductions.recipes",
            "instrec.tracking.gate.rules",
            "instrec.synthesis.soundfonts.libraries",
            "instrec.tracking.gate.commits",
            "instrec.tracking.report.charts",
        ),
        *("instrec.tracking.mlflow.runs", "instrec.corpus.published.medleydb"),
    ),
)
