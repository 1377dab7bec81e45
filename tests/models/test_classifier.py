"""A model file: self-contained, the same bytes for the same weights, and one line when it is damaged."""

import resource
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec import features
from instrec.models import architectures, classifier
from instrec.models.classifier import Card
from instrec.params import Params
from tests.refusals import refused


@pytest.fixture
def card(small_params: Params) -> Card:
    thresholds = tuple(0.1 * (1 + number) for number in range(len(small_params.classes)))
    return Card(small_params.classes, small_params.clip, small_params.spectrogram, thresholds)


@pytest.fixture
def model(small_params: Params) -> keras.Model:
    keras.utils.set_random_seed(4)
    shape = features.from_params(small_params.clip, small_params.spectrogram).shape
    return architectures.build(shape, len(small_params.classes), "count_presence", replace(small_params.model, width=4))


def test_what_was_saved_comes_back(model: keras.Model, card: Card, tmp_path: Path) -> None:
    classifier.save(tmp_path / "m.keras", model, card)
    loaded = classifier.load(tmp_path / "m.keras")
    assert loaded.card == card
    inputs = np.random.default_rng(0).random((5, *model.input_shape[1:]), dtype=np.float32)
    presence, count = loaded.predict(inputs)
    np.testing.assert_array_equal(presence, model.predict_on_batch(inputs)["presence"])
    np.testing.assert_array_equal(count, model.predict_on_batch(inputs)["count"])
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_the_same_weights_are_the_same_bytes(model: keras.Model, card: Card, tmp_path: Path) -> None:
    classifier.save(tmp_path / "one.keras", model, card)
    classifier.save(tmp_path / "two.keras", classifier.load(tmp_path / "one.keras").model, card)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()


def test_a_missing_model_says_how_to_get_one(tmp_path: Path) -> None:
    with refused("model-missing", tmp_path / "none.keras", "`dvc repro`", "--model"):
        classifier.load(tmp_path / "none.keras")


@pytest.mark.parametrize("damage", ["text", "truncated", "no card", "no weights", "bad card"])
def test_a_damaged_model_is_one_line(model: keras.Model, card: Card, tmp_path: Path, damage: str) -> None:
    path, whole = tmp_path / "m.keras", tmp_path / "whole.keras"
    classifier.save(whole, model, card)
    if damage == "text":
        path.write_text("no model")
    elif damage == "truncated":
        path.write_bytes(whole.read_bytes()[:2000])
    else:
        left_out = {"no card": "instrec.json", "no weights": "model.weights.h5", "bad card": "instrec.json"}[damage]
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                if name != left_out:
                    target.writestr(name, source.read(name))
            if damage == "bad card":
                target.writestr("instrec.json", '{"classes": ["violin"], "clip": {}}')
    with refused("not-a-model", path, "`dvc repro`"):
        classifier.load(path)


def test_a_full_disk_is_one_line_and_leaves_nothing(model: keras.Model, card: Card, tmp_path: Path) -> None:
    """A limit on a file's size stands for the disk's; Keras writes a file of its own first."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 1000, 20_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with refused("file-unwritable", tmp_path / "m.keras"):
                classifier.save(tmp_path / "m.keras", model, card)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert list(tmp_path.iterdir()) == []
