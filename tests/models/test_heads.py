"""What the losses of a task weigh, and that unknown labels weigh nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.models.heads import TASKS, UNKNOWN, Floats
from instrec.params import Params

TASK = TASKS["count_presence"]
many = settings(max_examples=10)
SEEDS = st.integers(0, 2**32 - 1)


def of_a_missed_class(params: Params, classes: int) -> float:
    """Return what the loss of presence gains where one of so many classes is missed."""
    losses, weights = TASKS["count_presence"].losses(params.train, classes)
    labels = np.eye(1, classes, dtype=np.float32)
    given, missed = np.where(labels > 0, 0.9, 0.1), np.full_like(labels, 0.1)
    return float(weights["presence"] * (losses["presence"](labels, missed) - losses["presence"](labels, given)))


def test_presence_weighs_ten_for_15_classes(full_params: Params) -> None:
    assert TASKS["count_presence"].losses(full_params.train, 15)[1] == {"presence": 10.0, "count": 0.5}


@pytest.mark.parametrize("classes", [4, 128])
def test_a_class_weighs_the_same_among_any_number(full_params: Params, classes: int) -> None:
    assert of_a_missed_class(full_params, classes) == pytest.approx(of_a_missed_class(full_params, 15), rel=1e-4)


@pytest.mark.parametrize("task", ["multilabel", "solo"])
def test_presence_alone_needs_no_weight(full_params: Params, task: str) -> None:
    assert TASKS[task].losses(full_params.train, 128)[1] == {"presence": 1.0}


def drawn(seed: int, unknown: float = 0.4) -> tuple[Floats, Floats]:
    """Return labels, some of them unknown, and logits of presence [shape=(clips, classes)]."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((9, 5)) < 0.4).astype(np.float32)
    labels[rng.random(labels.shape) < unknown] = UNKNOWN
    return labels, rng.normal(0, 3, labels.shape).astype(np.float32)


def graph(loss: Callable[..., Any], activation: Callable[..., Any], logits: Floats, target: Floats) -> tuple[Any, Any]:
    """Return a loss and its gradient, as a step of training computes them: TensorFlow goes by the logits there."""

    @tensorflow.function
    def step(logits: Any) -> tuple[Any, Any]:
        with tensorflow.GradientTape() as tape:
            tape.watch(logits)
            value = loss(target, activation(logits))
        return value, tape.gradient(value, logits)

    value, gradient = step(tensorflow.constant(logits))
    return value.numpy(), gradient.numpy()


def losses_of(params: Params, smoothing: float) -> dict[str, Any]:
    losses, _ = TASK.losses(replace(params.train, label_smoothing=smoothing), 5)
    return losses


@many
@given(SEEDS, st.sampled_from([0.0, 0.05]))
def test_an_unknown_label_has_no_loss_and_no_gradient_and_a_known_one_keeps_its_own(
    full_params: Params, seed: int, smoothing: float
) -> None:
    labels, logits = drawn(seed)
    known = labels != UNKNOWN
    other = np.where(known, logits, -logits)
    ours = losses_of(full_params, smoothing)["presence"]
    value, gradient = graph(ours, keras.activations.sigmoid, logits, labels)
    assert value == graph(ours, keras.activations.sigmoid, other, labels)[0]
    assert not gradient[~known].any()
    usual = keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
    expected = graph(usual, keras.activations.sigmoid, logits, labels)[1]
    np.testing.assert_array_equal(gradient[known], expected[known])
    assert gradient[known].all()


@many
@given(SEEDS, st.sampled_from([0.0, 0.05]))
def test_where_all_is_known_losses_and_gradients_are_those_of_keras_to_the_bit(
    full_params: Params, seed: int, smoothing: float
) -> None:
    labels, logits = drawn(seed, unknown=0.0)
    count = TASK.targets(labels)["count"]
    assert count.sum(axis=1).all()
    ours = losses_of(full_params, smoothing)
    for own, usual, activation, target in (
        (
            ours["presence"],
            keras.losses.BinaryCrossentropy(label_smoothing=smoothing),
            keras.activations.sigmoid,
            labels,
        ),
        (ours["count"], keras.losses.CategoricalCrossentropy(), keras.activations.softmax, count),
    ):
        found, expected = (graph(loss, activation, logits[:, : target.shape[1]], target) for loss in (own, usual))
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])


@many
@given(SEEDS)
def test_clips_with_unknown_labels_have_no_count(full_params: Params, seed: int) -> None:
    labels, logits = drawn(seed, unknown=0.1)
    certain, count, given_ = (labels != UNKNOWN).all(axis=1), TASK.targets(labels)["count"], logits[:, :4]
    np.testing.assert_array_equal(count.sum(axis=1), certain)
    np.testing.assert_array_equal(count[certain].argmax(axis=1), np.minimum(labels[certain].sum(axis=1), 3))
    ours = losses_of(full_params, 0.0)["count"]
    value, gradient = graph(ours, keras.activations.softmax, given_, count)
    other = np.where(certain[:, np.newaxis], given_, -given_)
    assert value == graph(ours, keras.activations.softmax, other, count)[0]
    assert not gradient[~certain].any()  # TensorFlow's own is the softmax
    assert gradient[certain].all()


def measured(labels: Floats, presence: Floats, count: Floats) -> list[float]:
    """Return presence's F1 and the count's accuracy, updated twice."""
    targets, outputs = TASK.targets(labels), {"presence": presence, "count": count}
    values = []
    for name, (metric,) in TASK.metrics().items():
        for half in (slice(4), slice(4, None)):
            metric.update_state(targets[name][half], outputs[name][half])
        values.append(float(metric.result()))
    return values


@many
@given(SEEDS)
def test_metrics_of_training_leave_unknown_labels_out(seed: int) -> None:
    labels, logits = drawn(seed, unknown=0.1)
    presence, count = 1 / (1 + np.exp(-logits)), np.abs(logits[:, :4])
    known, certain = labels != UNKNOWN, (labels != UNKNOWN).all(axis=1)
    found = measured(labels, presence, count)
    assert found == measured(labels, np.where(known, presence, 1 - presence), np.where(certain[:, None], count, -count))
    said, sounds = presence[known] > 0.5, labels[known] == 1
    assert found[0] == pytest.approx(2 * (said & sounds).sum() / max(1, said.sum() + sounds.sum()), abs=1e-6)
    right = count[certain].argmax(axis=1) == np.minimum(labels[certain].sum(axis=1), 3)
    assert found[1] == pytest.approx(right.mean() if len(right) else 0, abs=1e-6)


def test_a_compiled_model_is_loaded_with_its_losses_and_metrics(full_params: Params, tmp_path: Path) -> None:
    """As a killed training resumes."""
    inputs = keras.Input((5,))
    model = keras.Model(inputs, TASK.outputs(inputs, 5))
    losses, weights = TASK.losses(full_params.train, 5)
    model.compile("sgd", losses, weights, metrics=TASK.metrics())
    labels, features = drawn(3, unknown=0.1)
    model.train_on_batch(features, TASK.targets(labels))
    model.save(tmp_path / "epoch-1.keras")
    loaded = keras.models.load_model(tmp_path / "epoch-1.keras")
    one, other = (each.test_on_batch(features, TASK.targets(labels), return_dict=True) for each in (model, loaded))
    assert one == pytest.approx(other, rel=1e-6)
