"""Every architecture keeps the same contract, with every task."""

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec.models import architectures, classifier
from instrec.models.classifier import Card
from instrec.models.heads import COUNTS, TASKS
from instrec.params import Params
from instrec.training import fit, precision
from tests.architectures import CHOICES, NAMES, SMALLEST

pytestmark = pytest.mark.long

CLASSES = ("violin", "flute", "piano", "drums")
FROZEN = "inception_resnet_v2"  # quick to train so; vgg19 keeps the other way covered
LARGE = {
    "inception_resnet_v2",
    "inception_v4",
    "alexnet",
    "vgg19",
    "googlenet",
}  # files of tens to hundreds of megabytes
DEEP = {"inception_resnet_v2", "inception_v4"}  # hundreds of layers, all of kinds that others have, too
ALL = pytest.mark.parametrize("name", CHOICES)
SHALLOW = pytest.mark.parametrize("name", [name for name in CHOICES if name not in DEEP])
SMALL = pytest.mark.parametrize("name", [name for name in CHOICES if name not in LARGE])

Spectrograms = Callable[[tuple[int, int, int]], np.ndarray]
Outputs = dict[str, np.ndarray]


def shape_of(name: str) -> tuple[int, int, int]:
    """Small, but not the same in both directions."""
    frames, bins, channels = SMALLEST[name]
    return max(frames, 16), max(bins, 16) + (name not in LARGE), channels


@pytest.fixture(scope="module")
def solo_params(small_params: Params) -> Params:
    train = replace(small_params.train, optimizer="adam", schedule="constant", learning_rate=0.001, mix_probability=0.0)
    balance = replace(small_params.balance, train_mixtures=0, valid_mixtures=0)
    return replace(small_params, task="solo", train=train, balance=balance)


def built(params: Params, name: str, task: str) -> keras.Model:
    parameters = replace(params.model, **CHOICES[name], dense=(16,), frozen=name == FROZEN)
    return architectures.build(shape_of(name), len(CLASSES), task, parameters)


def layers_of(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if layer.name not in ("presence", "count"):
            yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)


def names_of(model: keras.Model) -> list[str]:
    return [layer.name for layer in layers_of(model)]


@pytest.fixture(scope="module", autouse=True)
def uncompressed() -> Iterator[None]:
    """Compression says nothing here, and takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "Z_DEFAULT_COMPRESSION", zlib.Z_NO_COMPRESSION)
        yield


@pytest.fixture(scope="module")
def folder(small_params: Params, module_folder: Path) -> Path:
    """A file NAME.keras of every architecture that is not deep, for counting, and of all their outputs for random
    spectrograms, NAME.npz, with the names and kinds of their layers."""
    keras.utils.set_random_seed(5)
    card = Card(CLASSES, small_params.clip, small_params.spectrogram, (0.5,) * len(CLASSES))
    folder = module_folder
    rng = np.random.default_rng(6)
    for name in CHOICES:
        model = built(small_params, name, "count_presence")
        spectrograms = rng.random((3, *shape_of(name)), dtype=np.float32)
        outputs = {key: np.asarray(value) for key, value in model(spectrograms, training=False).items()}
        kinds = sorted({type(layer).__name__ for layer in layers_of(model)})
        np.savez(folder / f"{name}.npz", spectrograms=spectrograms, names=names_of(model), kinds=kinds, **outputs)
        if name not in DEEP:
            classifier.save(folder / f"{name}.keras", model, card)
    return folder


@ALL
def test_outputs_are_probabilities_of_presence_and_count(folder: Path, name: str) -> None:
    outputs = np.load(folder / f"{name}.npz")
    assert outputs["presence"].shape == (3, len(CLASSES))
    assert ((outputs["presence"] > 0) & (outputs["presence"] < 1)).all()
    assert outputs["count"].shape == (3, COUNTS)
    np.testing.assert_allclose(outputs["count"].sum(axis=1), 1, rtol=1e-5)
    assert np.ptp(outputs["presence"], axis=0).max() > 0  # it looks at the spectrogram


@SMALL
def test_saved_and_loaded_it_says_the_same(folder: Path, name: str) -> None:
    expected = np.load(folder / f"{name}.npz")
    presence, count = classifier.load(folder / f"{name}.keras").predict(expected["spectrograms"])
    np.testing.assert_allclose(presence, expected["presence"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(count, expected["count"], rtol=1e-5, atol=1e-7)


IN_ANOTHER_BACKEND = """
import sys, pathlib, numpy, keras
from instrec.models import classifier
assert keras.backend.backend() == "jax"
# What is loaded overwrites it, so no time is lost on compiling a drawing of numbers for every shape.
keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: numpy.zeros(shape, "float32")
for path in map(pathlib.Path, sys.argv[1:]):
    presence, count = classifier.load(path).predict(numpy.load(path.with_suffix(".npz"))["spectrograms"])
    numpy.savez(path.with_suffix(".jax.npz"), presence=presence, count=count)
"""


def test_loaded_by_jax_every_kind_of_layer_says_the_same_as_in_tensorflow(folder: Path, repository: Path) -> None:
    names, found = [], set[str]()
    for name in CHOICES:
        kinds = set(np.load(folder / f"{name}.npz")["kinds"].tolist())
        if kinds - found and name not in DEEP:
            names.append(name)
            found |= kinds
    # What is compiled runs once: fast compilation, slow code.
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    command = [sys.executable, "-c", IN_ANOTHER_BACKEND, *(folder / f"{name}.keras" for name in names)]
    subprocess.run(command, env=environment, cwd=repository, check=True)
    assert keras.backend.backend() == "tensorflow"
    for name in names:
        here, there = np.load(folder / f"{name}.npz"), np.load(folder / f"{name}.jax.npz")
        for output in there.files:
            np.testing.assert_allclose(there[output], here[output], atol=1e-4, err_msg=name)


@SHALLOW
def test_many_labels_in_half_precision_inside_and_single_outside_and_single_after(
    small_params: Params, spectrograms_of: Spectrograms, name: str
) -> None:
    with precision.building(replace(small_params.train, precision="mixed_float16")):
        model = built(small_params, name, "multilabel")
    inner = [layer for layer in model.layers if layer.weights and layer.name != "presence"]
    assert inner
    assert {layer.compute_dtype for layer in inner} == {"float16"}
    assert {weight.dtype for layer in inner for weight in layer.trainable_weights} <= {"float32"}
    outputs = {key: np.asarray(value) for key, value in model(spectrograms_of(shape_of(name)), training=False).items()}
    assert outputs.keys() == {"presence"}
    assert outputs["presence"].dtype == np.float32
    assert ((outputs["presence"] > 0) & (outputs["presence"] < 1)).all()
    after = precision.single(model)
    assert {layer.compute_dtype for layer in after.layers} == {"float32"}
    said = np.asarray(after(spectrograms_of(shape_of(name)), training=False)["presence"])
    np.testing.assert_allclose(said, outputs["presence"], atol=0.05)
    assert precision.single(after) is after


@ALL
def test_a_step_of_training_on_solo_clips_moves_what_learns_and_nothing_else(
    solo_params: Params, folder: Path, spectrograms_of: Spectrograms, name: str
) -> None:
    keras.utils.set_random_seed(7)
    model = fit.compiled(solo_params, built(solo_params, name, "solo"), 1)
    assert model.name == name
    model.run_eagerly = True  # a single step is done sooner than compiled
    spectrograms = spectrograms_of(shape_of(name))
    presence = np.asarray(model(spectrograms, training=False)["presence"])
    np.testing.assert_allclose(presence.sum(axis=1), 1, rtol=1e-5)

    before = [weight.numpy() for weight in model.trainable_weights]
    base = model.get_layer(FROZEN).weights if name == FROZEN else []
    base_before = [weight.numpy() for weight in base]  # statistics of batch normalization among them
    model.train_on_batch(spectrograms, TASKS["solo"].targets(np.eye(len(CLASSES), dtype=np.float32)))
    after = [weight.numpy() for weight in model.trainable_weights]
    still = [
        weight.path
        for weight, old, new in zip(model.trainable_weights, before, after, strict=True)
        if np.array_equal(old, new) or not np.isfinite(new).all()
    ]
    assert not still
    for weight, old in zip(base, base_before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    # A model's file must not depend on what was built before it: no layer is named by Keras, which counts them.
    assert names_of(model) == np.load(folder / f"{name}.npz")["names"].tolist()


@SMALL
def test_the_same_seed_gives_the_same_bytes(small_params: Params, tmp_path: Path, name: str) -> None:
    card = Card(CLASSES, small_params.clip, small_params.spectrogram, (0.5,) * len(CLASSES))
    for part in ("one", "two"):
        keras.utils.set_random_seed(8)
        classifier.save(tmp_path / f"{part}.keras", built(small_params, name, "solo"), card)
    classifier.save(tmp_path / "three.keras", classifier.load(tmp_path / "one.keras").model, card)
    one, two, three = ((tmp_path / f"{part}.keras").read_bytes() for part in ("one", "two", "three"))
    assert one == two
    assert one == three


def test_the_default_is_small(full_params: Params) -> None:
    from instrec import features

    shape = features.from_params(full_params.clip, full_params.spectrogram).shape
    assert (
        architectures.build(shape, len(full_params.classes), full_params.task, full_params.model).count_params()
        < 500_000
    )


def test_params_name_the_architectures_there_are() -> None:
    folder = Path(architectures.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if re.search(r"^VARIANTS\b", path.read_text(), re.MULTILINE)}
    assert set(NAMES) == files


def with_variants() -> list[str]:
    return [name for name in sys.modules if name.startswith("instrec.") and hasattr(sys.modules[name], "VARIANTS")]


def test_only_the_chosen_architecture_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    architectures.variants("segal")
    for name in with_variants():
        monkeypatch.delitem(sys.modules, name)
    architectures.variants("lenet")
    assert with_variants() == ["instrec.models.architectures.lenet"]
