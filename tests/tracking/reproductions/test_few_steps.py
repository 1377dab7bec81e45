"""Recipes with every choice that there is run through all stages, which read no more params than dvc.yaml lists."""

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from instrec.tracking.reproductions import recipes
from instrec.util.nested import flat, merged
from tests.stages import reading
from tests.tracking.reproductions.all_recipes import FOLDER, NAMES, PARAMS, ROOT

FEW_STEPS = {
    "workers": 1,
    "soundfonts": {"train": ["sf_GMbank.sf2"]},
    "balance": {"train_per_class": 1, "valid_per_class": 1, "composed_per_class": 0},
    "train": {"epochs": 2, "batch_size": 32},  # one batch, as TensorFlow compiles each size anew
    "evaluate": {"bootstrap_rounds": 10},
    "tracking": {"mlflow": False},
}
SMALL = {"name": "lenet", "variant": "5x5", "dropout": 0.0}
SAME_NETWORK = {
    # Large networks, 10 to 95 s each: tests/models/architectures has them learn; sethi2018_vgg19 runs here.
    *("full_pretrained", "sethi2018", "sethi2018_googlenet"),
    *(name for name in NAMES if name.startswith("thesis_")),
    # As others but for sizes, slopes, clips or classes.
    *("segal2016_leaky", "segal2016_growing", "segal2016_three_layers", "segal2016_five_layers"),
    *("segal2016_dropout_per_layer", "sethi2018_no_loop", "sethi2018_noisy"),
    *("gomez2018_leaky", "gomez2018_solo", "gomez2018_irmas_wind", "gomez2018_irmas_wind_solo"),
    *("gomez2018_harmonic", "gomez2018_percussive"),
    *("yun_bi_lstm_64", "yun_bi_lstm_128", "yun_bi_lstm_128_128"),
    *("yun_bi_lstm_128_128_128_bands", "yun_bi_lstm_128_64_128_bands"),
}
SAME_CLIPS_AND_NETWORK = {  # clips of a recipe and the network of params.yaml, both of which run here or elsewhere
    *("instrec_gomez2018", "instrec_segal2016", "instrec_sethi2018", "instrec_yun_bi"),
}
SOLOS = ("clarinet", "flute")  # every recipe has at least one of them


@pytest.fixture(scope="module")
def few_scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen solo score of two classes, a mixture of each kind, an excerpt."""
    data = tmp_path_factory.mktemp("few") / "data"
    files = [*(ROOT / f"data/solo/{name}-000.mid" for name in SOLOS), *(ROOT / "data/mixture").glob("*-000-*.mid")]
    files += sorted((ROOT / "data/excerpt").glob("*.mid"))[:1]
    for file in files:
        target = data / file.relative_to(ROOT / "data")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    shutil.copy(ROOT / "data/noise.json", data)
    return data


def run_stages(folder: Path, tree: dict[str, Any], data: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run every stage in a folder of its own, and give what test.json holds."""
    from stages import balance, download, evaluate, spectrograms, synthesize, train

    (folder / "params.yaml").write_text(yaml.safe_dump(tree))
    (folder / "data").symlink_to(data)
    (folder / "released").symlink_to(ROOT / "released")  # where some go on from
    for name in ("recordings", "midi", "corpora"):
        (folder / name).mkdir()
    monkeypatch.chdir(folder)
    if tree["train"]["start"].startswith("models/"):
        write_start(Path(tree["train"]["start"]))
    for stage in (download, balance, synthesize, spectrograms, train, evaluate):
        with reading.recorded() as read:
            stage.main()
        name = stage.__name__.removeprefix("stages.")
        assert read
        assert (name, read - reading.LISTED[name] - reading.CHANGE_NO_RESULT) == (name, set())
    return json.loads((folder / "metrics/test.json").read_text())


def write_start(path: Path) -> None:
    """Write the model of the recipe that another one goes on from, untrained."""
    from instrec import features
    from instrec.models import architectures, classifier

    _, params = recipes.settings(PARAMS, recipes.load(FOLDER, path.stem).changes(budget="cpu"), path.stem)
    shape = features.from_params(params.clip, params.spectrogram).shape
    model = architectures.build(shape, len(params.classes), params.task, params.model)
    thresholds = (0.5,) * len(params.classes)
    classifier.save(path, model, classifier.Card(params.classes, params.clip, params.spectrogram, thresholds))


def few_steps(name: str) -> dict[str, Any]:
    changes = merged(recipes.load(FOLDER, name).changes(budget="cpu"), FEW_STEPS)
    tree, _ = recipes.settings(PARAMS, changes, name)
    balance, train = tree["balance"], tree["train"]
    for key in ("train_mixtures", "valid_mixtures", "composed_mixtures"):
        balance[key] = min(balance[key], 6)
    if tree["classes"] == ["general_midi"]:
        balance["train_per_class"] = balance["valid_per_class"] = 0
    train["regenerate_every"] = min(train["regenerate_every"], 1)
    tree["spectrogram"]["pixels"] = min(tree["spectrogram"]["pixels"], 75)
    tree["model"] |= SMALL if name in SAME_NETWORK else {}
    return tree


def choices(tree: dict[str, Any]) -> set[str]:
    """What chooses the code that runs: names and switches, and of a number whether it is 0."""
    return {f"{key}: {value if isinstance(value, str | list) else bool(value)}" for key, value in flat(tree)}


def chosen() -> list[str]:
    """Recipes that together make every choice that any recipe makes; test_recipes.py checks the values of all."""
    names, made = [], set[str]()
    for name in reversed(NAMES):
        if name not in SAME_CLIPS_AND_NETWORK and (own := choices(few_steps(name))) - made:
            names.append(name)
            made |= own
    return sorted(names)


@pytest.mark.alone
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", chosen())
def test_it_runs_for_a_few_steps(name: str, tmp_path: Path, few_scores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib, "Z_DEFAULT_COMPRESSION", zlib.Z_NO_COMPRESSION)  # which says nothing here, and takes long
    tree = few_steps(name)
    metrics = run_stages(tmp_path, tree, few_scores, monkeypatch)
    assert metrics["unseen_clean"]["solo"]["clips"] > 0
    assert ("mixtures" in metrics["unseen_clean"]) == (tree["task"] != "solo")
    assert ("composed_noisy" in metrics) == bool(tree["balance"]["composed_mixtures"])
    history = (tmp_path / "models/history.csv").read_text().splitlines()
    assert len(history) == 1 + 2
