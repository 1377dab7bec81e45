"""Every recipe differs from params.yaml in what it says, and fits the rest."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from instrec import params
from instrec.cli import main
from instrec.tracking.reproductions import recipes, running
from instrec.training import optimizers
from instrec.util.nested import flat, merged
from tests.refusals import assert_one_line, refused
from tests.tracking.reproductions.all_recipes import DEFAULTS, FOLDER, NAMES, PARAMS, ROOT


def differing(changes: dict[str, Any], base: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Whether a recipe's value is another than the one it replaces, by section.key."""
    before = dict(flat(base))
    for key, value in flat(changes):
        yield key, before[key] != value


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_only_what_differs(name: str) -> None:
    own = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    for section, budget in (("params", "full"), ("cpu", "cpu")):
        parent = recipes.load(FOLDER, own["extends"]) if "extends" in own else None
        inherited = recipes.clips_alone if own.get("ours") else dict
        base = merged(DEFAULTS, inherited(parent.params) if parent else {})
        if budget == "cpu":
            base = merged(merged(base, own.get("params", {})), inherited(parent.cpu) if parent else {})
        assert [key for key, differs in differing(own.get(section, {}), base) if not differs] == []


# What training does to spectrograms and weights that no publication did: a new one must be turned off in their recipes.
OUR_WAYS = (
    "mix_probability",
    "shorten_probability",
    "noise_floor_probability",
    "roll_seconds",
    "mask_mels",
    "color_db",
    "average_share",
    "start_share",
)


@pytest.mark.parametrize("name", [name for name in NAMES if recipes.load(FOLDER, name).source != recipes.OURS])
def test_a_published_system_is_trained_as_it_was(name: str) -> None:
    for budget in recipes.BUDGETS:
        tree, _ = recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(budget=budget), name)
        assert {key: tree["train"][key] for key in OUR_WAYS} == dict.fromkeys(OUR_WAYS, 0)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("yun_bi", "thesis"))])
def test_who_published_single_notes_learns_and_is_tested_on_dry_ones(name: str) -> None:
    for budget in recipes.BUDGETS:
        _, typed = recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(budget=budget), name)
        assert typed.scores.style == "notes"
        assert typed.balance.composed_per_class > 0
        assert (typed.synth.reverb_probability, typed.synth.chorus_probability, typed.balance.noisy_share) == (0, 0, 0)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("sethi2018")])
def test_sethis_clips_have_his_own_effects_alone(name: str) -> None:
    tree, _ = recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(), name)
    drawn = {key: value for key, value in (tree["noise"] | tree["synth"]).items() if not key.endswith("snr_db")}
    assert {key for key, value in drawn.items() if value} == {"engine", "sethi_probability"}
    assert drawn["engine"] == "fluidsynth"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("sethi2018")])
def test_sethis_training_stops_on_the_loss(name: str) -> None:
    """Section 4.5 of the paper. The accuracy of the count ended it before the instruments were learned."""
    for budget in recipes.BUDGETS:
        _, typed = recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(budget=budget), name)
        assert (typed.train.monitor, typed.train.min_delta) == ("loss", 0.0001)


@pytest.mark.parametrize(
    ("name", "data_sets"),
    [
        (name, wanted)
        for name in NAMES
        for wanted in (False, True)
        if recipes.load(FOLDER, name).data_sets or not wanted
    ],
)
@pytest.mark.parametrize("budget", recipes.BUDGETS)
def test_its_overrides_make_the_params_that_it_means(name: str, budget: str, data_sets: bool, tmp_path: Path) -> None:
    """As DVC itself applies them."""
    from dvc.utils.hydra import apply_overrides

    changes = recipes.load(FOLDER, name).changes(budget=budget, data_sets=data_sets)
    shutil.copy(PARAMS, tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", recipes.overrides(changes))
    tree, typed = recipes.settings(PARAMS, changes, name)
    assert yaml.safe_load((tmp_path / "params.yaml").read_text()) == tree
    assert params.load(tmp_path / "params.yaml") == typed


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.yaml").write_text(text)


WHOLE = "title: t\nsource: s\ndata: d\npublished: p\ndiffers: n\n"


def test_a_budget_that_is_another_experiment_says_so_and_reproduces_nothing(tmp_path: Path) -> None:
    write(tmp_path, "one", WHOLE + "cpu_is: 'another experiment: no weights'\ncpu: {workers: 1}\n")
    write(tmp_path, "two", "extends: one\n")
    write(tmp_path, "other", WHOLE + "cpu: {workers: 1}\n")
    for name in ("one", "two"):
        recipe = recipes.load(tmp_path, name)
        assert (recipe.reproduces("full"), recipe.reproduces("cpu")) == (True, False)
        assert recipe.title_with("full") == "t"
        assert recipe.title_with("cpu") == "t (another experiment: no weights)"
    other = recipes.load(tmp_path, "other")
    assert other.reproduces("cpu")
    assert other.title_with("cpu") == "t"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("thesis")])
def test_without_the_published_weights_it_is_another_experiment(name: str) -> None:
    recipe = recipes.load(FOLDER, name)
    _, typed = recipes.settings(PARAMS, recipe.changes(budget="cpu"), name)
    assert typed.model.weights == "none"
    assert not recipe.reproduces("cpu")


@pytest.mark.parametrize(
    ("name", "batch", "dense", "nesterov"),
    [
        ("thesis_irv2", 20, (512,), False),
        ("thesis_irv2_nesterov", 20, (512,), True),
        ("thesis_irv2_two_layers", 30, (1024, 512), False),
        ("thesis_irv2_two_layers_nesterov", 30, (1024, 512), True),
    ],
)
def test_the_four_set_ups_of_the_thesis(name: str, batch: int, dense: tuple[int, ...], nesterov: bool) -> None:
    _, typed = recipes.settings(PARAMS, recipes.load(FOLDER, name).changes(), name)
    assert (typed.model.dense, typed.model.weights, typed.model.frozen) == (dense, "imagenet", True)
    assert (typed.train.batch_size, typed.train.nesterov) == (batch, nesterov)
    rate = optimizers.schedule(typed.train, 42)
    assert [float(rate(step)) for step in (0, 1, 10)] == pytest.approx([0.045, 0.045 / 1.9, 0.045 / 10])


def test_a_recipe_that_extends_another_adds_to_it(tmp_path: Path) -> None:
    write(tmp_path, "one", WHOLE + "params: {seed: 1, train: {epochs: 2, patience: 3}}\ncpu: {workers: 1}\n")
    write(tmp_path, "two", "extends: one\ntitle: other\nparams: {train: {epochs: 4}}\n")
    two = recipes.load(tmp_path, "two")
    assert two.changes() == {"seed": 1, "train": {"epochs": 4, "patience": 3}}
    assert two.changes(budget="cpu") == {**two.changes(), "workers": 1}
    assert (two.title, two.source) == ("other", "s")


def test_ours_has_the_clips_and_epochs_of_another_alone(tmp_path: Path) -> None:
    train = "train: {epochs: 9, learning_rate: 1}"
    write(tmp_path, "one", WHOLE + f"params: {{seed: 1, model: {{name: x}}, {train}}}\ncpu: {{train: {{epochs: 3}}}}\n")
    write(tmp_path, "ours", "extends: one\nours: true\nparams: {train: {batch_size: 8}}\n")
    write(tmp_path, "full", WHOLE.replace("source: s", "source: instrec"))
    ours = recipes.load(tmp_path, "ours")
    assert ours.changes() == {"seed": 1, "train": {"epochs": 9, "batch_size": 8}}
    assert ours.changes(budget="cpu")["train"] == {"epochs": 3, "batch_size": 8}
    assert (ours.source, ours.block) == ("instrec", "s")
    assert [each.name for each in recipes.compared(tmp_path)] == ["one", "ours"]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("instrec_")])
@pytest.mark.parametrize("budget", recipes.BUDGETS)
def test_our_network_is_that_of_params_on_the_clips_of_a_publication(name: str, budget: str) -> None:
    ours = recipes.load(FOLDER, name)
    parent = recipes.load(FOLDER, yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["extends"])
    own, theirs = (recipes.settings(PARAMS, each.changes(budget=budget), name)[0] for each in (ours, parent))
    assert {section for section in own if own[section] != theirs[section]} <= {"spectrogram", "model", "train"}
    assert own["train"]["epochs"] == theirs["train"]["epochs"]
    assert own["model"] == DEFAULTS["model"]


def test_runs_with_the_same_clips_are_neighbors() -> None:
    wanted = [(name, seed) for name in ("segal2016", "yun_bi_lstm_64", "segal2016_leaky") for seed in (20, 21)]
    ordered = running._by_clips(ROOT, wanted, "cpu")
    names = ("segal2016", "segal2016_leaky")
    assert ordered == [
        *[(name, seed) for seed in (20, 21) for name in names],
        *[("yun_bi_lstm_64", seed) for seed in (20, 21)],
    ]


@pytest.mark.parametrize(
    ("text", "code", "subject", "named"),
    [
        ("extends: one\n", "recipe-circular", "one.yaml", "`extends`"),
        ("extends: two\n", "value-unknown", "", "'two'"),
        ("title: t\n", "value-invalid", "one.yaml: source", "None"),
        (WHOLE + "parms: {}\n", "key-unknown", "one.yaml: parms", "title"),
        (WHOLE + "params: 3\n", "not-a-mapping", "one.yaml: params", "3"),
        (WHOLE + "extends: 3\n", "value-invalid", "one.yaml: extends", "3"),
        ("- a\n", "not-a-mapping", "one.yaml", "['a']"),
        ("a: [\n", "document-unreadable", "one.yaml", "line 2"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_named(tmp_path: Path, text: str, code: str, subject: str, named: str) -> None:
    write(tmp_path, "one", text)
    with refused(code, tmp_path / subject, named) as raised:
        recipes.load(tmp_path, "one")
    assert "\n" not in str(raised.value)


def test_on_data_sets_their_quotas_come_before_those_of_a_budget(tmp_path: Path) -> None:
    write(
        tmp_path,
        "one",
        WHOLE + "cpu: {workers: 1, balance: {train_mixtures: 9}}\ndata_sets: {balance: {train_mixtures: 0}}\n",
    )
    one = recipes.load(tmp_path, "one")
    assert one.changes(budget="cpu", data_sets=True) == {"workers": 1, "balance": {"train_mixtures": 0}}
    assert one.changes(budget="cpu")["balance"] == {"train_mixtures": 9}


def test_a_parameter_that_does_not_exist_is_named_with_its_recipe() -> None:
    with refused("key-unknown", "recipes/x.yaml: train.epoch", "epochs"):
        recipes.settings(PARAMS, {"train": {"epoch": 3}}, "recipes/x.yaml")


def test_data_sets_that_a_recipe_does_not_name_are_told_of(tmp_path: Path) -> None:
    write(tmp_path, "one", WHOLE)
    with refused("recipe-without-datasets", "recipe one", "--data-sets"):
        recipes.load(tmp_path, "one").changes(data_sets=True)


def test_the_list_shows_every_recipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["dev", "recipe", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["recipe", *NAMES]
    assert any("128: General MIDI" in line for line in lines)


def test_a_recipe_is_printed_as_options(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["dev", "recipe", "gomez2018_leaky", "--cpu"]) == 0
    words = capsys.readouterr().out.split()
    assert words[::2] == ["-S"] * (len(words) // 2)
    assert {"model.name=han", "model.variant=leaky", "train.epochs=12", "task=multilabel"} <= set(words)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dev", "recipe"], ("`instrec dev recipe --list`",)),
        (["dev", "recipe", "segal"], ("'segal'", "segal2016")),
        (["dev", "recipe", "segal2016", "--folder", "nowhere"], ("nowhere",)),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], named: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", "instrec", *arguments], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 2
    assert_one_line(done.stderr, *named)
    assert done.stderr.count("\n") == 1


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with refused("command-failed", tmp_path, "`git rev-parse HEAD`", "not a git repository"):
        running._call(tmp_path, "git", "rev-parse", "HEAD")


def test_other_classes_have_a_table_of_their_own() -> None:
    of = {name: recipes.load(FOLDER, name) for name in ("gomez2018", "gomez2018_solo", "gomez2018_irmas_wind_solo")}
    assert of["gomez2018"].block == of["gomez2018_solo"].block == "Han 2017; Gómez 2018"
    assert of["gomez2018_irmas_wind_solo"].block == "Han 2017; Gómez 2018, 4 classes"
    assert recipes.load(FOLDER, "gomez2018_jazz").block == "Han 2017; Gómez 2018, 6 classes"
