"""Architectures at the spectrograms of their publications: weights, maps and what stands where.

Counts of weights are those of the publications or of the implementations they link to, or worked out by hand.
"""

from collections.abc import Callable
from math import prod

import keras
import numpy as np
import pytest
from keras import layers

Trunk = Callable[..., keras.Model]
Spectrograms = Callable[[tuple[int, int, int]], np.ndarray]


def kernels(model: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(layer.kernel.shape) for layer in model.layers if isinstance(layer, layers.Conv2D)]


def published_weights(model: keras.Model, classes: int) -> int:
    """Weights with a bias for each filter, as before batch normalization, and with a dense layer for `classes`."""
    own = sum(prod(layer.kernel.shape) + layer.kernel.shape[-1] for layer in model.layers if hasattr(layer, "kernel"))
    return own + (model.output.shape[-1] + 1) * classes


@pytest.mark.parametrize(
    ("name", "filters", "dropout", "maps"),
    [
        ("segal", [64] * 4, [0, 0.5, 0.5, 0.5], (8, 6)),
        ("segal_leaky", [64] * 4, [0, 0.5, 0.5, 0.5], (8, 6)),
        ("segal_growing", [32, 64, 128, 256], [0, 0.5, 0.5, 0.5], (8, 6)),
        ("segal_three_layers", [64] * 3, [0, 0.5, 0.5], (16, 12)),
        ("segal_five_layers", [64] * 5, [0, 0.5, 0.5, 0.5, 0.5], (4, 3)),
        ("segal_dropout_per_layer", [64] * 4, [0.1, 0.2, 0.3, 0.4], (8, 6)),
        ("segal_wave", [64] * 4, [0, 0.5, 0.5, 0.5], (4, 4)),
    ],
)
def test_segal(trunk_of: Trunk, name: str, filters: list[int], dropout: list[float], maps: tuple[int, int]) -> None:
    model = trunk_of(name, (66150, 1, 1) if name == "segal_wave" else (130, 96, 1))
    assert kernels(model) == [(3, 3, *each) for each in zip([1, *filters], filters, strict=False)]
    numbers = range(1, 1 + len(filters))
    assert [layer.name for layer in model.layers if isinstance(layer, layers.MaxPooling2D)] == [
        f"conv{number}_pool" for number in numbers
    ]
    dropouts = {layer.name: layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)}
    rates = {f"conv{number}_dropout": rate for number, rate in zip(numbers, dropout, strict=True) if rate}
    assert dropouts == rates | {"dense_dropout": 0.5}
    assert model.get_layer("flat").output.shape == (None, maps[0] * maps[1] * filters[-1])
    assert not [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


def test_segal_normalizes_the_input_alone(trunk_of: Trunk) -> None:
    normalized = trunk_of("segal", (130, 96, 1)).get_layer("normalized")
    features = np.full((1, 130, 96, 1), 0.25, np.float32)
    np.testing.assert_allclose(normalized(features), 0, atol=1e-6)
    np.testing.assert_allclose(normalized(features + 0.25), 1, atol=1e-6)


def test_segal_reads_frames_from_a_wave(trunk_of: Trunk) -> None:
    model = trunk_of("segal_wave", (66150, 1, 1))
    assert [model.get_layer(f"wave{number}").output.shape[1:] for number in (1, 2, 3)] == [
        (8269, 32),
        (1034, 64),
        (65, 64),
    ]
    assert model.get_layer("frames").output.shape == (None, 65, 64, 1)


@pytest.mark.parametrize(("name", "under_zero"), [("segal", 0), ("segal_leaky", 0.01), ("han", 0), ("han_leaky", 0.33)])
def test_the_slope_under_zero_is_what_tells_leaky_from_plain(trunk_of: Trunk, name: str, under_zero: float) -> None:
    model = trunk_of(name, (43, 128, 1))
    slopes = [float(layer(np.float32([[-1]]))[0, 0]) for layer in model.layers if isinstance(layer, layers.LeakyReLU)]
    np.testing.assert_allclose(slopes, -under_zero)
    assert len(slopes) == (5 if name.startswith("segal") else 9)


@pytest.mark.parametrize(
    ("name", "bands", "maps", "weights"),
    [
        ("lenet_5x5", 128, (17, 29), 156 + 2416 + (17 * 29 * 16 + 1) * 120 + 121 * 84),
        ("lenet_5x5", 64, (17, 13), 156 + 2416 + (17 * 13 * 16 + 1) * 120 + 121 * 84),
        ("lenet_3x8", 128, (14, 30), 150 + 2320 + (14 * 30 * 16 + 1) * 120 + 121 * 84),
        ("lenet_3x8", 64, (14, 14), 150 + 2320 + (14 * 14 * 16 + 1) * 120 + 121 * 84),
    ],
)
def test_lenet(trunk_of: Trunk, name: str, bands: int, maps: tuple[int, int], weights: int) -> None:
    """3x8 is three bands by eight frames."""
    model = trunk_of(name, (80, bands, 1))
    assert model.get_layer("pool2").output.shape == (None, *maps, 16)
    assert model.count_params() == weights
    assert model.output.shape == (None, 84)


@pytest.mark.parametrize(
    ("name", "units", "weights"),
    [
        ("lstm_units_64", 64, 33_024),
        ("lstm_units_128", 128, 98_816),
        ("lstm_units_128_128", 128, 230_400),
        ("lstm_units_128_64", 64, 148_224),
    ],
)
def test_lstm(trunk_of: Trunk, name: str, units: int, weights: int) -> None:
    """Four gates a unit, each with a weight for every feature, every unit and a bias (Hochreiter and Schmidhuber)."""
    model = trunk_of(name, (80, 64, 1))
    assert model.count_params() == weights
    assert model.output.shape == (None, units)


def test_lstm_takes_frames_as_time_steps(trunk_of: Trunk, spectrograms_of: Spectrograms) -> None:
    model, spectrograms = trunk_of("lstm_units_64", (12, 5, 2)), spectrograms_of((12, 5, 2))
    steps = spectrograms.reshape(len(spectrograms), 12, 10)
    np.testing.assert_allclose(model(spectrograms), model.get_layer("lstm1")(steps), rtol=1e-6)


def test_alexnet(trunk_of: Trunk) -> None:
    """The convolutions are not divided between two GPUs, which saved the paper 1.4 million of its 61.0."""
    model = trunk_of("alexnet", (227, 227, 3), dense=(4096, 4096), dropout=0.5)
    maps = [model.get_layer(name).output.shape[1:] for name in ("conv1", "pool1", "pool2", "pool5")]
    assert maps == [(55, 55, 96), (27, 27, 96), (13, 13, 256), (6, 6, 256)]
    assert published_weights(model, 1000) == 62_378_344
    divided = sum(prod(model.get_layer(name).kernel.shape) // 2 for name in ("conv2", "conv4", "conv5"))
    assert published_weights(model, 1000) - divided == 60_965_224


def test_googlenet(trunk_of: Trunk) -> None:
    model = trunk_of("googlenet", (224, 224, 3))
    names = ("pool1", "pool2", "inception_3a", "inception_3b", "inception_4a", "inception_4e", "inception_5b")
    assert [model.get_layer(name).output.shape[1:] for name in names] == [
        (56, 56, 64),
        (28, 28, 192),
        (28, 28, 256),
        (28, 28, 480),
        (14, 14, 512),
        (14, 14, 832),
        (7, 7, 1024),
    ]
    assert published_weights(model, 1000) == 6_998_552
    assert trunk_of("googlenet", (227, 227, 3)).output.shape == (None, 1024)


def test_inception_v4(trunk_of: Trunk) -> None:
    """Figures 3 and 9 of the paper give the maps; timm counts the weights, with 1000 classes."""
    model = trunk_of("inception_v4", (299, 299, 3), dense=(4,), dropout=0.2)
    names = ("stem1_1_3", "stem2", "stem3", "stem4", "a4", "reduction_a", "b7", "reduction_b", "c3")
    assert [model.get_layer(name).output.shape[1:] for name in names] == [
        (147, 147, 64),
        (73, 73, 160),
        (71, 71, 192),
        (35, 35, 384),
        (35, 35, 384),
        (17, 17, 1024),
        (17, 17, 1024),
        (8, 8, 1536),
        (8, 8, 1536),
    ]
    trained = [weight for layer in model.layers if layer.name != "dense0" for weight in layer.trainable_weights]
    assert sum(prod(weight.shape) for weight in trained) + 1537 * 1000 == 42_679_816
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.2]


def test_vgg19(trunk_of: Trunk) -> None:
    model = trunk_of("vgg19", (227, 227, 3), dense=(2, 3), dropout=0.5)
    base = model.get_layer("vgg19")
    assert base.count_params() == 20_024_384
    assert base.output.shape == (None, 7, 7, 512)
    # With the paper's 4096 twice and 1000 classes: all 143,667,240 weights of the original.
    flat = model.get_layer("flat").output.shape[1]
    assert base.count_params() + (flat + 1) * 4096 + 4097 * 4096 + 4097 * 1000 == 143_667_240
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("name", "channels", "weights"),
    [
        ("han", 1, 1_434_848),
        ("han_leaky", 1, 1_434_848),
        ("han_multi_resolution", 3, 1_434_848 + 2 * 9 * 32),
        ("han_two_branch", 2, 2 * 1_171_680 + (512 + 1) * 1024),
    ],
)
def test_han(trunk_of: Trunk, name: str, channels: int, weights: int) -> None:
    model = trunk_of(name, (43, 128, channels))
    assert model.count_params() == weights
    assert model.output.shape == (None, 1024)
    assert [shape[-1] for shape in kernels(model)] == [
        filters for filters in (32, 64, 128, 256) for _ in range(4 if name == "han_two_branch" else 2)
    ]
    rates = [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]
    assert rates == [0.25] * (len(rates) - 1) + [0.5]


def test_maps_of_han_grow_with_each_convolution(trunk_of: Trunk) -> None:
    model = trunk_of("han", (43, 128, 1))
    maps = [
        layer.output.shape[1:3] for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))
    ]
    assert maps == [
        *((45, 130), (47, 132), (15, 44)),
        *((17, 46), (19, 48), (6, 16)),
        *((8, 18), (10, 20), (3, 6)),
        *((5, 8), (7, 10)),
    ]


def test_a_frozen_han_trains_nothing_below_the_head(trunk_of: Trunk) -> None:
    frozen, free = trunk_of("han", (43, 128, 1), frozen=True), trunk_of("han", (43, 128, 1))
    assert (len(frozen.trainable_weights), len(free.trainable_weights)) == (0, 18)
    assert [weight.path for weight in frozen.weights] == [weight.path for weight in free.weights]


def test_branches_of_han_each_see_a_channel_of_their_own(trunk_of: Trunk, spectrograms_of: Spectrograms) -> None:
    model, spectrograms = trunk_of("han_two_branch", (43, 64, 2)), spectrograms_of((43, 64, 2))
    ends = [model.get_layer(f"{part}_block4_pool").output for part in ("harmonic", "percussive")]
    branches = keras.Model(model.input, ends)
    other = spectrograms.copy()
    other[..., 1] = 1 - other[..., 1]  # the percussive part
    (harmonic, percussive), (same, changed) = branches(spectrograms), branches(other)
    np.testing.assert_array_equal(harmonic, same)
    assert not np.allclose(percussive, changed)


def test_efficient_at(trunk_of: Trunk) -> None:
    """With the layer for AudioSet's 527 classes, the 983,599 weights that the authors count for mn04_as."""
    model = trunk_of("efficient_at_mn04", (300, 128, 1))
    assert sum(prod(weight.shape) for weight in model.trainable_weights) + (512 + 1) * 527 == 983_599
    base = model.get_layer("efficient_at")
    assert base.get_layer("efficient_at_last").output.shape == (None, 10, 4, 384)
    assert (base.output.shape, model.output.shape) == ((None, 384), (None, 512))
