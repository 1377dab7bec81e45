import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.evaluation import metrics
from instrec.models.heads import TASKS
from instrec.training import calibration


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def error(labels: np.ndarray, presence: np.ndarray, bins: int = 15) -> float:
    """The expected calibration error: how far the mean probability lies from the share that sounds, bin by bin."""
    places = np.minimum((presence.ravel() * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(places, (labels - presence).ravel())).sum() / presence.size)


def drawn(seed: int, *, exclusive: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that come about with just the probabilities that they stand for."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2, size=(4000, 5))
    if not exclusive:
        return logits, (rng.random(logits.shape) < sigmoid(logits)).astype(np.uint8)
    chosen = [rng.choice(5, p=shares) for shares in softmax(logits)]
    return logits, np.eye(5, dtype=np.uint8)[chosen]


@pytest.mark.parametrize("exclusive", [False, True])
@settings(max_examples=20)
@given(seed=st.integers(0, 1000), degrees=st.floats(0.3, 3))
def test_the_temperature_that_was_put_on_is_found(exclusive, seed, degrees):
    logits, labels = drawn(seed, exclusive=exclusive)
    presence = (softmax if exclusive else sigmoid)(logits / degrees)  # too sure where it is below one
    found = calibration.temperature(labels, presence, exclusive=exclusive)
    assert found == pytest.approx(1 / degrees, rel=0.1)


def test_what_is_calibrated_stays_so():
    logits, labels = drawn(7)
    found = calibration.temperature(labels, sigmoid(logits))
    assert found == pytest.approx(1, abs=0.03)
    assert error(labels, sigmoid(logits / found)) < 0.01


def test_it_brings_the_error_down():
    logits, labels = drawn(8)
    unsure = sigmoid(logits / 1.7)
    found = calibration.temperature(labels, unsure)
    assert error(labels, sigmoid(logits / 1.7 / found)) < 0.2 * error(labels, unsure)


@pytest.mark.parametrize("labels", [np.eye(5), np.zeros((5, 5)), np.ones((5, 5))])
@pytest.mark.parametrize("presence", [np.eye(5), np.full((5, 5), 0.2), np.zeros((5, 5)), np.ones((5, 5))])
@pytest.mark.parametrize("exclusive", [False, True])
def test_few_or_one_sided_clips_give_a_bounded_temperature(labels, presence, exclusive):
    assert 0.25 <= calibration.temperature(labels, presence.astype(np.float32), exclusive=exclusive) <= 4


@pytest.mark.parametrize("task", TASKS)
def test_a_model_is_calibrated_and_ranks_as_before(task):
    """A head as every architecture has it, whose logits should be half as large."""
    rng, exclusive = np.random.default_rng(3), task == "solo"
    features = keras.Input((7,))
    model = keras.Model(features, TASKS[task].outputs(features, 5))
    weights = rng.normal(0, 1.2, size=(7, 5))
    model.get_layer(calibration.HEAD).set_weights([weights, np.zeros(5)])
    given_ = rng.normal(size=(4000, 7))
    logits = given_ @ weights / 2
    if exclusive:
        labels = np.eye(5, dtype=np.uint8)[[rng.choice(5, p=shares) for shares in softmax(logits)]]
    else:
        labels = (rng.random(logits.shape) < sigmoid(logits)).astype(np.uint8)
    before = model.predict_on_batch(given_)
    calibration.calibrate(model, labels, before["presence"])
    after = model.predict_on_batch(given_)
    expected = (softmax if exclusive else sigmoid)(logits)
    np.testing.assert_allclose(after["presence"], expected, atol=0.03)
    assert error(labels, after["presence"]) < 0.01 < error(labels, before["presence"])
    np.testing.assert_array_equal(before["presence"].argmax(axis=1), after["presence"].argmax(axis=1))
    if task == "count_presence":
        shares = before["count"] / np.bincount(np.minimum(labels.sum(axis=1), 3), minlength=4)
        np.testing.assert_allclose(after["count"], shares / shares.sum(axis=1, keepdims=True), rtol=1e-4)


def test_numbers_of_instruments_that_never_occur_stay_as_they_are():
    labels = np.array([[0, 0], [1, 0], [0, 1], [1, 0]])
    np.testing.assert_allclose(calibration.expected(labels, 4), [np.log(0.25), np.log(0.75), 0, 0], rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
@settings(max_examples=40)
def test_a_threshold_is_half_of_the_highest_f1(seed, clips):
    rng = np.random.default_rng(seed)
    labels = (rng.random((clips, 5)) < 0.3).astype(np.uint8)
    presence = (0.7 * rng.random(labels.shape) + 0.3 * labels).astype(np.float32)
    presence[::2] = presence[::2].round(1)  # some are equal
    used = labels.sum(axis=1) != 1
    if not used.any():
        used = ~used
    cuts = [np.full(labels.shape[1], threshold) for threshold in np.unique(presence)]
    reached = [metrics.per_class(labels[used], metrics.decide(presence[used], cut)) for cut in cuts]
    for column, threshold in enumerate(calibration.best_thresholds(labels, presence)):
        if labels[used, column].any():
            assert threshold == pytest.approx(max(values[column][2] for values in reached) / 2)
        else:
            assert threshold == 0.5


@pytest.mark.parametrize("shape", [(0.3, 1.5), (0.1, 0.4), (2.0, 2.0)])
def test_of_calibrated_probabilities_no_threshold_does_better(shape):
    rng = np.random.default_rng(4)
    presence = rng.beta(*shape, size=(20_000, 1)).repeat(2, axis=1)
    labels = (rng.random((20_000, 1)) < presence).astype(np.uint8)  # both columns or none: no clip has one instrument
    cuts = [calibration.best_thresholds(labels, presence)[0], *np.arange(0.02, 1, 0.02)]
    best, *others = (metrics.per_class(labels, metrics.decide(presence, [cut, cut]))[0][2] for cut in cuts)
    assert best > max(others) - 0.003


def test_clips_of_one_instrument_choose_thresholds_only_where_there_are_no_others():
    labels = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0]], np.uint8)
    presence = np.array([[0.1, 0.9], [0.1, 0.9], [0.9, 0.1], [0.8, 0.7], [0.2, 0.1]])
    assert calibration.best_thresholds(labels, presence).tolist() == [0.5, 0.5]
    assert calibration.best_thresholds(labels[:3], presence[:3]).tolist() == pytest.approx([0.4, 0.25])
