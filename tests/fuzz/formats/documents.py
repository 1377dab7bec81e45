"""YAML, JSON and CSV: the repository's own files, each read by what reads it in the product."""

from __future__ import annotations

import functools
import io
import json
import math
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_ROOT = Path(__file__).parents[3]
Reader = Callable[[Path], Any]


def _by_name(readers: dict[str, Reader]) -> Callable[[Path, bytes, Random], None]:
    def read(path: Path, before: bytes, random: Random) -> None:
        readers[path.as_posix()](path)

    return read


def _of_repository(name: str) -> bytes:
    return (_ROOT / name).read_bytes()


# ---- YAML


def _params(path: Path) -> None:
    from instrec import params

    assert isinstance(params.load(path), params.Params)


def _recipe(path: Path) -> None:
    from instrec.tracking.reproductions import recipes

    recipe = recipes.load(path.parent, path.stem)
    recipes.rows([recipe])
    Path("params.yaml").write_bytes(_of_repository("params.yaml"))
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
    libraries.catalog.cache_clear()
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
    return {name: _of_repository(name) for name in names} | {"song/song_METADATA.yaml": _SONG.encode()}


YAML = Format(
    90,
    _yaml_seeds,
    mutations.document,
    _by_name(
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


# ---- JSON


def _metrics(path: Path) -> None:
    from instrec.tracking.gate import commits, comparison
    from instrec.tracking.report import scores

    comparison.figures(commits.mapping(Path(), path) or {})
    assert scores.read()


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

    libraries.catalog.cache_clear()
    shutil.copy(_ROOT / "libraries.yaml", ".")  # has the licenses of SoundFonts made of sound libraries
    try:
        model_card.write(Path("card.md"), path)
    finally:
        for written in ("card.md", "libraries.yaml"):
            Path(written).unlink(missing_ok=True)


def _figures(path: Path) -> None:
    from instrec.tracking.model_card import facts

    assert isinstance(facts.evaluation(path), dict)


def _systems(path: Path) -> None:
    from instrec.tracking.reproductions import recipes, results, table

    try:
        table.write(Path("table.md"), recipes.published(_ROOT / "recipes"), results.read(path))
    finally:
        Path("table.md").unlink(missing_ok=True)


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
    tree = json.loads(_of_repository(name))
    part = tree[:count] if isinstance(tree, list) else dict(list(tree.items())[:count])
    return json.dumps(part, indent=1).encode()


@functools.cache
def _json_seeds() -> dict[str, bytes]:
    metrics = _of_repository("metrics/test.json")
    found = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "files": 2}
    figures = {"files": 4, "per_class": {"violin": found, "flute": found}, "confusion": {"matrix": [[2, 0], [0, 2]]}}
    index = {"version": "1", "tracks": {"a": {"audio": ["a.wav", "0" * 32]}}, "metadata": {"list": ["b.csv", "1" * 32]}}
    return {
        "metrics/test.json": metrics,
        "summary.json": metrics,
        "released/classifier.json": _of_repository("released/classifier.json"),
        "figures.json": json.dumps(figures, indent=1).encode(),
        "docs/systems.json": _first("docs/systems.json", 3),
        "noise.json": _first("data/noise.json", 20),
        "index.json": json.dumps(index, indent=1).encode(),
    }


JSON = Format(
    90,
    _json_seeds,
    mutations.document,
    _by_name(
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
            "instrec.tracking.report.scores",
            "instrec.tracking.summary",
            "instrec.tracking.model_card.facts",
            "instrec.tracking.reproductions.results",
        ),
        *("instrec.util.documents", "instrec.synthesis.rendering"),
        *("instrec.corpus.published.mirdata_loader", "instrec.tracking.gate.commits"),
    ),
)


# ---- CSV


def _manifest(path: Path) -> None:
    from instrec.corpus import manifest

    for clip in manifest.read(path):
        assert math.isfinite(clip.onset), clip
        assert clip.seed >= 0, clip
        assert all(isinstance(value, str) for value in (clip.id, clip.split, clip.path, *clip.labels)), clip


def _entries(path: Path) -> None:
    from instrec.corpus import index

    for entry in index.read(path.parent):
        assert math.isfinite(entry.onset + entry.duration), entry
        assert all(isinstance(value, str) for value in (entry.source, entry.path, entry.group, entry.split)), entry


def _held(path: Path) -> None:
    from instrec.corpus import soundfont_programs

    for held in soundfont_programs.read(path).values():
        assert all(0 <= number < 128 for number in held.programs | held.kits), held


def _labels(path: Path) -> None:
    from instrec.evaluation import labels

    classes = ("violin", "piano", "flute", "drums")
    found, _ = labels.read(path, classes)
    assert all((each.present | each.absent) <= set(classes) for each in found), found


def _history(path: Path) -> None:
    from instrec.tracking.report import charts

    charts.learning_curves(path)


def _drawn(path: Path) -> None:
    from instrec.evaluation import figures

    figures.of_sets(path.parent, ["seen"])


_MANIFEST = "id,split,source,path,onset,labels,group,soundfont,noise,seed\n" + "".join(
    f"train/solo/violin-{n:03},train,score,,0.0,violin piano,violin-{n},TimGM6mb.sf2,clean,{n}\n" for n in range(5)
)
_INDEX = "source,path,onset,duration,labels,group,split\n" + "".join(
    f"midi,midi/song {n}.mid,{3.0 * n},3.0,violin,midi/song {n}.mid,train\n" for n in range(5)
)
_SOUNDFONTS = "name,programs,kits\nTimGM6mb.sf2,0-127,0 8 16 24-25\nFreePats.sf2,0-2 16-19 24,\n"
_HISTORY = "epoch,loss,val_loss,presence_f1,val_presence_f1\n" + "".join(
    f"{n},{1 / n:.4f},{1.1 / n:.4f},{1 - 1 / n:.4f},{1 - 1.1 / n:.4f}\n" for n in range(1, 6)
)
_CONFUSION = "actual,predicted\n" + "violin,violin\nflute,violin\nflute,flute\n" * 3
_CALIBRATION = "predicted,observed,low,high,decisions\n0.1,0.12,0.1,0.2,90\n0.8,0.75,0.7,0.9,30\n"
_F1 = "class,f1,low,high,clips\nviolin,0.8,0.7,0.9,3\nflute,0.5,0.4,0.6,6\n"


@functools.cache
def _table_seeds() -> dict[str, bytes]:
    texts = {
        "build/manifest.csv": _MANIFEST,
        "datasets/index.csv": _INDEX,
        "datasets/soundfonts.csv": _SOUNDFONTS,
        "labels.csv": "file,labels,absent,group\na.wav,violin;piano,drums,one\nb.wav,flute,,two\n",
        "models/history.csv": _HISTORY,
        "plots/confusion_seen.csv": _CONFUSION,
        "plots/f1_seen.csv": _F1,
        "plots/calibration_seen.csv": _CALIBRATION,
    }
    return {name: text.encode() for name, text in texts.items()}


TABLE = Format(
    60,
    _table_seeds,
    mutations.textual,
    _by_name(
        {
            "build/manifest.csv": _manifest,
            "datasets/index.csv": _entries,
            "datasets/soundfonts.csv": _held,
            "labels.csv": _labels,
            "models/history.csv": _history,
            "plots/confusion_seen.csv": _drawn,
            "plots/f1_seen.csv": _drawn,
            "plots/calibration_seen.csv": _drawn,
        }
    ),
    (
        *("instrec.corpus.manifest", "instrec.corpus.index", "instrec.corpus.soundfont_programs"),
        *("instrec.evaluation.labels", "instrec.tracking.report.charts"),
    ),
)
