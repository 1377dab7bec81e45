"""Metrics: against scikit-learn's, by their properties, and where there is nothing to measure."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from instrec.evaluation import bootstrap, metrics

CLASSES = ("cello", "drums", "flute", "piano")


def solo_clips(seed: int, clips: int, classes: int = 5, skill: float = 0.3):
    """Labels of one class each, and presence that knows them a little."""
    rng = np.random.default_rng(seed)
    labels = np.eye(classes, dtype=np.uint8)[rng.integers(classes, size=clips)]
    presence = np.clip(rng.random(labels.shape) * (1 - skill) + skill * labels, 0, 1)
    return labels, presence.astype(np.float32)


def mixed_clips(seed: int, clips: int, classes: int = 5):
    """Labels of 0 to 3 classes, presence, decisions and count that know them a little."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(4, size=clips)
    ranks = rng.random((clips, classes)).argsort(axis=1)
    labels = (ranks < wanted[:, None]).astype(np.uint8)
    presence = (0.7 * rng.random(labels.shape) + 0.3 * labels).astype(np.float32)
    count = rng.random((clips, 4)) + np.eye(4)[wanted] / 2
    decisions = metrics.decide(presence, rng.uniform(0.3, 0.7, classes))
    return labels, presence, decisions, count / count.sum(axis=1, keepdims=True)


def values_of(labels, presence, decisions, count):
    values = metrics.mixtures(labels, presence, decisions, count)
    values["top1"] = metrics.top1(labels, presence)
    return {name: float(value) for name, value in values.items()}


seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 40)


@given(seeds, sizes)
@settings(max_examples=40)
def test_agrees_with_scikit_learn(seed, clips):
    labels, presence, decisions, _ = mixed_clips(seed, clips)
    occurring = np.flatnonzero(labels.any(axis=0))
    labelled = labels.any(axis=1)
    ours = metrics.agreement(labels, decisions)
    scores = {"f1": reference.f1_score, "precision": reference.precision_score, "recall": reference.recall_score}
    for name, score in scores.items():
        if len(occurring):
            macro = score(labels, decisions, labels=occurring, average="macro", zero_division=0)
            assert ours[f"macro_{name}"] == pytest.approx(macro)
        silence = float(not labels.any() and not decisions.any())
        micro = score(labels, decisions, average="micro", zero_division=silence)
        assert ours[f"micro_{name}"] == pytest.approx(micro)
    if len(occurring):
        lrap = reference.label_ranking_average_precision_score(labels[labelled], presence[labelled])
        assert metrics.lrap(labels, presence) == pytest.approx(lrap)
    assert metrics.exact_set(labels, decisions) == pytest.approx(reference.accuracy_score(labels, decisions))
    figures = reference.precision_recall_fscore_support(labels, decisions, zero_division=0)
    np.testing.assert_allclose(metrics.per_class(labels, decisions), np.transpose(figures))


@given(seeds, sizes)
@settings(max_examples=40)
def test_counting_agrees_with_scikit_learn(seed, clips):
    labels, presence, _, count = mixed_clips(seed, clips)
    wanted, found = labels.sum(axis=1), count.argmax(axis=1)
    ours = metrics.counted(labels, presence, count)
    assert ours["count_accuracy"] == pytest.approx(reference.accuracy_score(wanted, found))
    means = reference.precision_recall_fscore_support(
        wanted, found, labels=np.unique(wanted), average="macro", zero_division=0
    )
    assert [ours[f"count_macro_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(means[:3])
    chosen = metrics.top_k(presence, count)
    assert chosen.sum(axis=1).tolist() == found.tolist()
    weakest_chosen = np.where(chosen > 0, presence, 2).min(axis=1)
    strongest_left = np.where(chosen > 0, -1, presence).max(axis=1)
    assert (weakest_chosen >= strongest_left).all()
    assert ours["total_accuracy"] == pytest.approx(reference.accuracy_score(labels, chosen))
    assert ours["total_accuracy"] <= ours["count_accuracy"]


def test_a_two_part_output_is_read_as_the_paper_does():
    """Four clips, worked out by hand: count and instruments right; count right, one of two instruments right; one too
    many counted; silence detected as such."""
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]], np.uint8)
    presence = np.array([[0.9, 0.8, 0.1], [0.4, 0.1, 0.3], [0.2, 0.1, 0.05], [0.9, 0.9, 0.9]])
    count = np.eye(4)[[1, 2, 2, 0]]
    assert metrics.top_k(presence, count).tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert {name: float(value) for name, value in metrics.counted(labels, presence, count).items()} == {
        "count_accuracy": 3 / 4,
        "count_macro_f1": pytest.approx((1 + 2 / 3 + 2 / 3) / 3),
        "count_macro_precision": pytest.approx((1 + 1 + 1 / 2) / 3),
        "count_macro_recall": pytest.approx((1 + 1 / 2 + 1) / 3),
        "by_count_micro_f1": pytest.approx(2 * 2 / (5 + 4)),
        "by_count_macro_f1": pytest.approx((2 * 2 / (3 + 2) + 0 + 0) / 3),
        "by_count_micro_precision": 2 / 5,
        "by_count_macro_precision": pytest.approx(2 / 3 / 3),
        "by_count_micro_recall": 2 / 4,
        "by_count_macro_recall": pytest.approx(1 / 3),
        "total_accuracy": 2 / 4,
    }


def test_a_model_that_does_not_count_has_no_metrics_of_counting():
    labels, presence, decisions, count = mixed_clips(0, 9)
    without = metrics.mixtures(labels, presence, decisions)
    with_count = metrics.mixtures(labels, presence, decisions, count)
    assert with_count.keys() - without.keys() == metrics.counted(labels, presence, count).keys()
    assert {name: with_count[name] for name in without} == without


@given(seeds, sizes)
@settings(max_examples=40)
def test_a_weight_is_so_many_copies_of_a_clip(seed, clips):
    labels, presence, decisions, count = mixed_clips(seed, clips)
    weights = np.random.default_rng(seed).multinomial(clips, np.full(clips, 1 / clips), size=2)
    weighted = metrics.mixtures(labels, presence, decisions, count, weights)
    for row, times in enumerate(weights):
        copies = (np.repeat(part, times, axis=0) for part in (labels, presence, decisions, count))
        for name, value in metrics.mixtures(*copies).items():
            assert weighted[name][row] == pytest.approx(float(value)), name


@given(seeds, sizes)
@settings(max_examples=40)
def test_neither_the_order_of_clips_nor_of_classes_matters(seed, clips):
    labels, presence, decisions, count = mixed_clips(seed, clips)
    rng = np.random.default_rng(seed)
    clip, name = rng.permutation(clips), rng.permutation(labels.shape[1])
    one, two, three = (part[clip][:, name] for part in (labels, presence, decisions))
    shuffled = values_of(one, two, three, count[clip])
    assert shuffled == pytest.approx(values_of(labels, presence, decisions, count))


@given(seeds, sizes)
@settings(max_examples=40)
def test_perfect_predictions_score_one_and_wrong_ones_zero(seed, clips):
    labels, *_ = mixed_clips(seed, clips)
    labels = labels[labels.any(axis=1)]
    if not len(labels):
        return
    presence, count = labels.astype(np.float32), np.eye(4)[labels.sum(axis=1)]
    assert set(values_of(labels, presence, labels, count).values()) == {1.0}
    wrong = values_of(labels, 1 - presence, 1 - labels, np.roll(count, 1, axis=1))
    assert {wrong[name] for name in wrong if name != "lrap"} == {0.0}


@given(seeds, sizes, st.integers(1, 60))
@settings(max_examples=40)
def test_intervals_contain_the_metric_and_repeat(seed, clips, rounds):
    labels, presence, decisions, count = mixed_clips(seed, clips)
    measure = partial(metrics.mixtures, labels, presence, decisions, count)
    first, again = (
        bootstrap.evaluate(measure, clips=clips, rounds=rounds, rng=np.random.default_rng(3)) for _ in range(2)
    )
    assert first == again
    assert first["clips"] == clips
    assert set(first["intervals"]) == set(first) - {"clips", "intervals"}
    for name, (low, high) in first["intervals"].items():
        assert 0 <= low <= first[name] <= high <= 1 + 1e-9


def test_an_interval_is_as_wide_as_theory_says():
    labels, presence = solo_clips(1, 600)
    measured = bootstrap.evaluate(
        partial(metrics.solo, labels, presence), clips=600, rounds=2000, rng=np.random.default_rng(0)
    )
    share = measured["top1"]
    low, high = measured["intervals"]["top1"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 600), rel=0.1)


def test_many_clips_are_resampled_a_few_rounds_at_a_time():
    sizes = []

    def measure(weights):
        if weights is None:
            return {"share": np.float64(0.5)}
        sizes.append(len(weights))
        return {"share": np.full(len(weights), 0.5)}

    bootstrap.evaluate(measure, clips=2**20, rounds=6, rng=np.random.default_rng(0))
    assert sizes == [4, 2]


def test_clips_of_a_file_are_drawn_together():
    files = np.array([0, 0, 0, 1, 2, 2])

    def measure(weights):
        weights = np.ones((1, 6)) if weights is None else weights
        assert all(len(set(row[files == file])) == 1 for row in weights for file in range(3))
        assert weights.sum() == 6 or (weights @ (1 / np.bincount(files)[files]) == pytest.approx(3))
        return {"first": (weights[:, 0] > 0).astype(float).squeeze()}

    values = bootstrap.evaluate(measure, clips=6, rounds=50, rng=np.random.default_rng(0), files=files)
    assert (values["clips"], values["intervals"]["first"]) == (6, [0.0, 1.0])


def test_silence():
    silence, detected = np.zeros((3, 4), np.uint8), np.eye(3, 4)
    none = np.eye(4)[[0, 0, 0]]
    right = metrics.mixtures(silence, 0 * detected, silence, none)
    assert {name: float(value) for name, value in right.items()} == dict.fromkeys(right, 1.0)
    wrong = metrics.mixtures(silence, detected, detected, none[:, ::-1])
    assert {name: float(value) for name, value in wrong.items()} == dict.fromkeys(wrong, 0.0) | {"lrap": 1.0}


def test_more_instruments_than_counts_are_the_last_count():
    labels = np.array([[1, 1, 1, 1]], np.uint8)
    assert metrics.count_accuracy(labels, np.array([[0, 0, 1.0]])) == 1
    assert metrics.count_accuracy(labels, np.array([[0, 1.0, 0]])) == 0
    assert metrics.counted(labels, labels, np.array([[0, 0, 1.0]]))["count_macro_f1"] == 1


@pytest.mark.parametrize(
    ("labels", "presence", "more", "message"),
    [
        (np.zeros((0, 4)), np.zeros((0, 4)), {}, "must both be"),
        (np.zeros(4), np.zeros(4), {}, "must both be"),
        (np.zeros((2, 4)), np.zeros((2, 3)), {}, "must both be"),
        (np.full((2, 4), 2), np.zeros((2, 4)), {}, "0 or 1"),
        (np.zeros((2, 4)), np.full((2, 4), np.nan), {}, r"within 0\.\.1"),
        (np.zeros((2, 4)), np.full((2, 4), 1.5), {}, r"within 0\.\.1"),
        (np.zeros((2, 4)), np.zeros((2, 4)), {"count": np.zeros((3, 4))}, "for 2 clips"),
        (np.zeros((2, 4)), np.zeros((2, 4)), {"count": np.full((2, 4), np.inf)}, "finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, presence, more, message):
    with pytest.raises(ValueError, match=message):
        metrics.validate(labels, presence, **more)
