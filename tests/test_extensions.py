"""Every place that an extension touches, as CONTRIBUTING.md lists them: none can be forgotten."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import yaml

from instrec import features, taxonomy
from instrec.corpus import published
from instrec.corpus.published.base import Corpus
from instrec.evaluation import metrics
from instrec.models import architectures
from instrec.params import ModelParams, NoiseParams, Params, SpectrogramParams
from instrec.synthesis import noise
from instrec.synthesis.noise.table import EFFECTS, SETHI_EFFECTS
from instrec.synthesis.soundfonts import libraries
from instrec.tracking.gate.comparison import direction_of
from instrec.tracking.model_card import licenses
from scripts.make_miniature_corpora import PLACED, SERVED

ROOT = Path(__file__).parents[1]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())


def choices(section: type) -> set[str]:
    """What params.yaml may have as `name` of a section."""
    return set(get_args(get_type_hints(section)["name"]))


def test_an_architecture_is_a_file_and_a_choice():
    files = {each.name for each in pkgutil.iter_modules(architectures.__path__)}
    assert files == choices(ModelParams)
    assert all(architectures.variants(name) for name in files)


def test_a_representation_is_a_class_and_a_choice():
    assert set(features.REPRESENTATIONS) == choices(SpectrogramParams)


def test_a_dataset_is_known_and_has_a_miniature():
    names = [each.name for each in pkgutil.iter_modules(published.__path__, "instrec.corpus.published.")]
    modules = map(importlib.import_module, names)
    written = {value.name for module in modules for value in vars(module).values() if isinstance(value, Corpus)}
    assert written == set(published.CORPORA) == {*SERVED, *PLACED}
    page = (ROOT / "docs/datasets.md").read_text(encoding="utf-8")
    assert [name for name in published.CORPORA if f"## {name}\n" not in page] == []


def test_a_noise_has_a_probability_values_and_an_effect():
    named = {field.name.removesuffix("_probability") for field in fields(NoiseParams)} - {"min_snr_db", "max_snr_db"}
    assert set(noise.ORDER) == named == (set(EFFECTS) - set(SETHI_EFFECTS)) | {"sethi"}
    assert PARAMS["noise"].keys() == {field.name for field in fields(NoiseParams)}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_noise_changes_a_clip_the_same_way_each_time(name, full_params: Params):
    y = np.random.default_rng(1).standard_normal(11025).astype(np.float32) / 8
    values = EFFECTS[name].draw(np.random.default_rng(2), full_params.noise, 11025)
    first, second = (noise.apply(y, [{"effect": name, **values}], 11025) for _ in range(2))
    assert first.shape == y.shape
    assert np.array_equal(first, second)
    assert not np.array_equal(first, y)
    assert json.loads(json.dumps(values)) == values


def test_a_soundfont_has_terms():
    fonts = PARAMS["soundfonts"]
    for name in (*fonts["train"], *fonts["valid"], fonts["unseen"]):
        assert licenses.terms(name).license
    for name in libraries.catalog().soundfonts:
        assert licenses.terms(name).source == "libraries.yaml"


def test_a_class_of_params_is_in_the_taxonomy_and_in_the_test_scores():
    assert set(PARAMS["classes"]) <= set(taxonomy.INSTRUMENTS)
    scored = {file.stem.rsplit("-", 1)[0] for file in (ROOT / "data/solo").glob("*.mid")}
    assert set(PARAMS["classes"]) <= scored


def test_a_metric_is_1_where_all_is_right_and_the_gate_knows_which_way_is_better():
    labels = np.eye(4, dtype=np.uint8)
    presence, count = labels.astype(float), np.eye(4)[np.ones(4, int)]
    losses = {"loss": metrics.cross_entropy(labels, presence, exclusive=True)}
    shares = metrics.solo(labels, presence) | metrics.mixtures(labels, presence, labels, count)
    for measured, best, direction in ((shares, 1, "higher"), (losses, 0, "lower")):
        for name, value in measured.items():
            assert (name, round(float(value), 6), direction_of(name)) == (name, best, direction)
