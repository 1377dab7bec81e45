"""Networks of keras.applications: their weights, the scale those are used to, and what frozen means."""

import inspect
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from math import prod
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import applications, layers

from instrec.models import pretrained
from instrec.params import Params
from instrec.util import files
from tests.refusals import refused

SHAPE = (32, 32, 3)
Trunk = Callable[..., keras.Model]
Spectrograms = Callable[[tuple[int, int, int]], np.ndarray]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def keras_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    (tmp_path / "keras").mkdir()
    return tmp_path / "keras"


@pytest.fixture(scope="module")
def original(module_folder: Path) -> keras.Model:
    """VGG-19 with random weights, which lie in a file of the published name and format."""
    keras.utils.set_random_seed(3)
    model = applications.VGG19(include_top=False, weights=None, input_shape=SHAPE)
    model.save(module_folder / pretrained.IMAGENET["vgg19"].name, include_optimizer=False)
    return model


@pytest.fixture
def known(original: keras.Model, module_folder: Path, monkeypatch: pytest.MonkeyPatch) -> pretrained.WeightsFile:
    """The file of `original` in place of ImageNet's."""
    file = pretrained.IMAGENET["vgg19"]
    own = replace(file, md5=files.md5(module_folder / file.name))
    monkeypatch.setitem(pretrained.IMAGENET, "vgg19", own)
    return own


@pytest.mark.usefixtures("keras_home")
def test_without_a_network_it_says_what_is_missing_and_what_to_do(
    trunk_of: Trunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr(urllib.request, "_opener", None)
    remedies = (pretrained.IMAGENET["vgg19"].url, "model.weights_folder", "weights: none")
    with refused("weights-unavailable", "params.yaml: model.weights", "vgg19", *remedies):
        trunk_of("vgg19", SHAPE, weights="imagenet")


def test_the_files_are_those_of_keras() -> None:
    for name, make in (("inception_resnet_v2", applications.InceptionResNetV2), ("vgg19", applications.VGG19)):
        file = pretrained.IMAGENET[name]
        source = re.sub(r'"\s*"', "", Path(inspect.getfile(make)).read_text())  # literals side by side are one
        assert all(part in source for part in (file.url.removesuffix(file.name), file.name, file.md5))


def test_weights_come_from_a_folder_without_a_network(
    trunk_of: Trunk, original: keras.Model, known: pretrained.WeightsFile, module_folder: Path
) -> None:
    model = trunk_of("vgg19", SHAPE, weights="imagenet", weights_folder=str(module_folder), dense=(4,))
    for own, given in zip(model.get_layer("vgg19").weights[1:], original.weights[1:], strict=True):
        np.testing.assert_array_equal(own, given)


def test_a_folder_without_the_file_or_with_another_is_refused(trunk_of: Trunk, tmp_path: Path) -> None:
    file = pretrained.IMAGENET["inception_resnet_v2"]
    options = {"weights": "imagenet", "weights_folder": str(tmp_path)}
    with refused("weights-unavailable", tmp_path / file.name, file.url):
        trunk_of("inception_resnet_v2", (75, 75, 3), **options)
    (tmp_path / file.name).write_bytes(b"half of it")
    with refused("checksum-mismatch", tmp_path / file.name, file.md5, file.url):
        trunk_of("inception_resnet_v2", (75, 75, 3), **options)


def test_a_folder_is_refused_where_no_file_is_needed(small_params: Params) -> None:
    for weights in ("none", "audioset"):
        params = replace(small_params.model, name="efficient_at", weights=weights, weights_folder="weights")
        with refused("parameters-conflict", "params.yaml: model.weights_folder", "imagenet", weights):
            pretrained.check(params)


def test_a_download_is_checked_and_kept(
    known: pretrained.WeightsFile,
    module_folder: Path,
    keras_home: Path,
    small_params: Params,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = replace(small_params.model, name="vgg19", weights="imagenet")
    with serving(module_folder) as address:
        there = replace(known, url=f"{address}/{known.name}")
        monkeypatch.setitem(pretrained.IMAGENET, "vgg19", replace(there, md5="0" * 32))
        with refused("weights-unavailable", "params.yaml: model.weights", "hash"):
            pretrained.imagenet(params)
        monkeypatch.setitem(pretrained.IMAGENET, "vgg19", there)
        fetched = pretrained.imagenet(params)
    assert fetched == keras_home / "models" / known.name
    assert files.md5(fetched) == known.md5
    assert pretrained.imagenet(params) == fetched  # the server has gone


def test_vgg19_shows_its_weights_the_spectrograms_they_are_used_to(
    trunk_of: Trunk,
    spectrograms_of: Spectrograms,
    original: keras.Model,
    known: pretrained.WeightsFile,
    module_folder: Path,
) -> None:
    model = trunk_of("vgg19", SHAPE, weights="imagenet", weights_folder=str(module_folder), dense=(4,))
    spectrograms = spectrograms_of(SHAPE)
    expected = original(applications.vgg19.preprocess_input(255 * spectrograms))
    convolved = keras.Model(model.input, model.get_layer("flat").output)
    np.testing.assert_allclose(
        convolved(spectrograms), np.reshape(expected, (len(spectrograms), -1)), rtol=1e-3, atol=1e-4
    )


def test_inception_resnet_v2_as_published(trunk_of: Trunk, spectrograms_of: Spectrograms) -> None:
    inception = trunk_of("inception_resnet_v2", (150, 150, 3), dense=(1024, 512), frozen=True)
    base = inception.get_layer("inception_resnet_v2")
    assert base.output.shape == (None, 3, 3, 1536)
    assert base.count_params() == 54_336_736
    assert [layer.units for layer in inception.layers if isinstance(layer, layers.Dense)] == [1024, 512]
    assert sum(prod(weight.shape) for weight in inception.trainable_weights) == 13_825 * 1024 + 1025 * 512
    spectrograms = spectrograms_of((150, 150, 3))
    expected = applications.inception_resnet_v2.preprocess_input(255 * spectrograms)
    np.testing.assert_allclose(inception.get_layer("scale")(spectrograms), expected, atol=1e-6)


def test_dropout_follows_each_dense_layer_where_it_is_asked_for(trunk_of: Trunk) -> None:
    model = trunk_of("vgg19", SHAPE, dense=(8, 4), dropout=0.3)
    tail = [layer.name for layer in model.layers[-4:]]
    assert tail == ["dense0", "dense0_dropout", "dense1", "dense1_dropout"]
    assert [model.get_layer(f"dense{number}_dropout").rate for number in (0, 1)] == [0.3, 0.3]
    plain = trunk_of("vgg19", SHAPE, dense=(8, 4))
    assert not [layer for layer in plain.layers if isinstance(layer, layers.Dropout)]


def test_frozen_only_the_layers_on_top_learn(trunk_of: Trunk) -> None:
    model = trunk_of("vgg19", SHAPE, frozen=False, dense=(4,))
    assert len(model.trainable_weights) == 2 * 16 + 2
    assert len(trunk_of("vgg19", SHAPE, frozen=True, dense=(4,)).trainable_weights) == 2
