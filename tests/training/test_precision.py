"""Batch normalization in one step: the same as Keras's in many, and only while a model trains in bfloat16."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from instrec.models import architectures
from instrec.params import Params
from instrec.training import precision
from instrec.training.precision import FusedBatchNormalization

SHAPE = (16, 24, 1)


@pytest.fixture(scope="module")
def half(small_params: Params) -> keras.Model:
    network = replace(small_params.model, name="compact_resnet", width=4)
    with precision.building(replace(small_params.train, precision="mixed_bfloat16")):
        return architectures.build(SHAPE, len(small_params.classes), small_params.task, network)


def kinds(model: keras.Model) -> set[type]:
    return {type(layer) for layer in model.layers if isinstance(layer, layers.BatchNormalization)}


@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_moving_statistics_are_those_of_keras(training: bool) -> None:
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(2, 3, (5, 4, 3, 6)).astype(np.float32))
    results = []
    for kind in (layers.BatchNormalization, FusedBatchNormalization):
        layer = kind(momentum=0.9)
        layer.build(x.shape)
        layer.set_weights([np.linspace(*ends, 6) for ends in ((0.5, 2), (-1, 1), (0, 1), (1, 3))])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(y**3)
        gradients = tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])
        results.append([y, *gradients, *layer.get_weights()])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_model_in_bfloat16_has_it_while_it_trains_and_not_after(half: keras.Model, tmp_path: Path) -> None:
    model = precision.fused(half)
    assert kinds(half) == {layers.BatchNormalization}
    assert kinds(model) == {FusedBatchNormalization}
    one, other = ([each.compute_dtype for each in own.layers if each.weights] for own in (half, model))
    assert one == other
    model.save(tmp_path / "m.keras")  # as after each epoch
    assert kinds(keras.models.load_model(tmp_path / "m.keras")) == {FusedBatchNormalization}
    after = precision.single(model)
    assert kinds(after) == {layers.BatchNormalization}
    for one, other in zip(half.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_within_models_have_it_too(half: keras.Model) -> None:
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(3, 3, dtype="mixed_bfloat16")(inputs)
    x = layers.BatchNormalization(scale=False, dtype="mixed_bfloat16")(x)
    whole = keras.Sequential([inputs, keras.Model(inputs, x, name="inner"), layers.Flatten()])
    model = precision.fused(whole)
    assert kinds(model.layers[0]) == {FusedBatchNormalization}
    after = precision.single(model)
    assert {layer.compute_dtype for layer in after.layers[0].layers} == {"float32"}
    clips = np.random.default_rng(0).random((4, *SHAPE)).astype(np.float32)
    for training in (False, True):
        near = [np.asarray(each(clips, training=training), np.float32) for each in (whole, model, after)]
        np.testing.assert_allclose(near[1], near[0], atol=0.1)
        np.testing.assert_allclose(near[2], near[0], atol=0.1)


def test_no_other_model_has_it(half: keras.Model) -> None:
    single = precision.single(half)
    assert precision.fused(single) is single
    inputs = keras.Input((8,))
    flat = keras.Model(inputs, layers.BatchNormalization(dtype="mixed_bfloat16")(inputs))
    assert kinds(precision.fused(flat)) == {layers.BatchNormalization}
