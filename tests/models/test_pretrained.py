"""Networks of keras.applications: their weights, the scale those are used to, and what frozen means."""

import urllib.request
from collections.abc import Callable
from math import prod
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import applications, layers

from tests.refusals import refused

SHAPE = (32, 32, 3)
Trunk = Callable[..., keras.Model]
Spectrograms = Callable[[tuple[int, int, int]], np.ndarray]


def test_without_a_network_it_says_what_is_missing_and_what_to_ask_for(
    trunk_of: Trunk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    with refused("weights-unavailable", "params.yaml: model.weights", "vgg19", "googleapis", "weights: none"):
        trunk_of("vgg19", SHAPE, weights="imagenet")


def test_vgg19_shows_its_weights_the_spectrograms_they_are_used_to(
    trunk_of: Trunk, spectrograms_of: Spectrograms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file of random weights in the place of the download."""
    original = applications.VGG19(include_top=False, weights=None, input_shape=SHAPE)
    original.save_weights(tmp_path / "vgg19.weights.h5")
    monkeypatch.setattr(
        "keras.src.applications.vgg19.file_utils.get_file", lambda *_, **__: str(tmp_path / "vgg19.weights.h5")
    )
    model = trunk_of("vgg19", SHAPE, weights="imagenet", dense=(4,))
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


def test_frozen_only_the_layers_on_top_learn(trunk_of: Trunk) -> None:
    model = trunk_of("vgg19", SHAPE, frozen=False, dense=(4,))
    assert len(model.trainable_weights) == 2 * 16 + 2
    assert len(trunk_of("vgg19", SHAPE, frozen=True, dense=(4,)).trainable_weights) == 2
