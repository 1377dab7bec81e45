"""Metrics of predictions: `validate`, and single metrics; bootstrap.py gives their intervals.

Conventions, the same for every metric:

- Clips are rows (at least one), classes are columns. `labels` holds 0 or 1, `presence` 0..1, `count` a
  probability for each number of instruments 0, 1, 2, … where the last stands for "that many or more".
- A class of which nothing is known in a clip counts for nothing: its label and decision are 0, and its presence is
  `UNKNOWN`, under every threshold and every rank.
- In a solo clip, the strongest class is detected. In other clips, all classes that reach their threshold are. If a
  model counts instruments, `top_k` detects that many of the most probable classes.
- Micro averages are over all pairs of clip and class. Macro averages are over the classes that occur in the labels.
  The precision of a class that is never detected is 0.
- If no class is present (silence), the metric is 1 if none is detected, and else 0. LRAP leaves out clips without a
  label, and is 1 if no clip has one.
- Every metric is a share, 0..1, and higher is better; `cross_entropy` has no upper limit, and lower is better.
- `weights` is how often each clip counts [shape=(..., clips)], by default once. The result keeps its leading axes, so
  a thousand bootstrap resamplings are a few matrix products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

UNKNOWN = -1.0
"""Presence of a class where it may sound or not."""

_SURE = 1e-7  # how far from 0 and 1 Keras keeps probabilities before it takes their logarithm


def validate(labels: Array, presence: Array, count: Array | None = None) -> None:
    """Check that there are clips, that shapes agree, and that values are in range.

    Raises
    ------
    ValueError
        If any of this is wrong.
    """
    if labels.ndim != 2 or labels.shape != presence.shape or not labels.size:
        raise ValueError(f"labels {labels.shape} and presence {presence.shape} must both be (clips, classes)")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    if not ((presence >= 0) & (presence <= 1) | (presence == UNKNOWN) & (labels == 0)).all():
        raise ValueError("presence must be within 0..1, or UNKNOWN without a label")
    if count is not None and (count.ndim != 2 or len(count) != len(labels) or not np.isfinite(count).all()):
        raise ValueError(f"count {count.shape} must be finite and (clips, counts) for {len(labels)} clips")


def strongest(presence: Array) -> Array:
    """Detect the strongest class of each clip, the first among equals; 0 or 1 [shape=(clips, classes)]."""
    return _one_hot(presence.argmax(axis=1), presence.shape[1])


def decide(presence: Array, thresholds: ArrayLike) -> Array:
    """Detect every class that reaches its threshold; 0 or 1 [shape=(clips, classes)].

    >>> decide(np.array([[0.9, 0.4], [0.2, 0.6]]), thresholds=[0.5, 0.6]).tolist()
    [[1, 0], [0, 1]]
    """
    # In doubles, because a threshold may lie between two neighboring single-precision numbers.
    return (presence >= np.asarray(thresholds, np.float64)).astype(np.uint8)


def top_k(presence: Array, count: Array) -> Array:
    """Detect the k most probable classes, where k is the most probable count (Sethi 2018); 0 or 1
    [shape=(clips, classes)]."""
    ranks = np.argsort(-presence, axis=1, kind="stable").argsort(axis=1)
    return np.asarray(ranks < count.argmax(axis=1)[:, None], np.uint8)


def top1(labels: Array, presence: Array, weights: Array | None = None) -> Array:
    """Share of clips whose strongest class is among their labels.

    >>> labels = np.array([[1, 0, 0], [0, 1, 0]])
    >>> float(top1(labels, np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1]])))
    0.5
    """
    return _mean((labels * strongest(presence)).sum(axis=1), weights)


def cross_entropy(labels: Array, presence: Array, weights: Array | None = None, *, exclusive: bool) -> Array:
    """Mean cross-entropy of the clips, in nats: the loss of output `presence`, without label smoothing.

    If `exclusive`, one probability is shared out among the classes, as in task solo. Otherwise, each class is decided
    by itself, and a clip has the mean over the classes.

    >>> round(float(cross_entropy(np.array([[1, 0]]), np.array([[0.5, 0.25]]), exclusive=True)), 3)  # -log .5
    0.693
    """
    sure = np.clip(presence.astype(np.float64), _SURE, 1 - _SURE)
    losses = -np.log(np.where(labels > 0, sure, 1 - sure))
    return _mean((losses * labels).sum(axis=1) if exclusive else losses.mean(axis=1), weights)


def agreement(labels: Array, decisions: Array, weights: Array | None = None) -> dict[str, Array]:
    """Return micro and macro averages of precision, recall and F1: `micro_f1`, `macro_f1`, `micro_precision`, …

    >>> values = agreement(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [1, 0]]))
    >>> round(float(values["micro_f1"]), 3), round(float(values["macro_f1"]), 3)
    (0.667, 0.5)
    """
    true_positive, predicted, actual = _tallies(labels, decisions, weights)
    nothing = (predicted + actual).sum(-1) == 0
    values = {}
    for name, part, whole in (
        ("f1", 2 * true_positive, predicted + actual),
        ("precision", true_positive, predicted),
        ("recall", true_positive, actual),
    ):
        values[f"micro_{name}"] = _ratio(part.sum(-1), whole.sum(-1), nothing)
        values[f"macro_{name}"] = _macro(_ratio(part, whole, 0.0), predicted, actual)
    return values


def count_accuracy(labels: Array, count: Array, weights: Array | None = None) -> Array:
    """Share of clips whose number of instruments has the highest probability."""
    return _mean(count.argmax(axis=1) == _number(labels, count), weights)


def exact_set(labels: Array, decisions: Array, weights: Array | None = None) -> Array:
    """Share of clips whose detected classes are exactly the labels.

    >>> float(exact_set(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])))
    0.5
    """
    return _mean(np.all(labels == decisions, axis=1), weights)


def lrap(labels: Array, presence: Array, weights: Array | None = None) -> Array:
    """Label ranking average precision (Schapire and Singer 2000).

    For each label of a clip, take the share of labels among the classes that are at least as strong. LRAP is the mean
    over the labels of a clip, and over the clips.

    >>> round(float(lrap(np.array([[1, 0, 1]]), np.array([[0.9, 0.5, 0.2]]))), 3)  # ranks 1 and 3
    0.833
    """
    labeled = labels.sum(axis=1) > 0
    at_least = presence[:, None, :] >= presence[:, :, None]  # (clips, class, other class)
    precision = (at_least & (labels[:, None, :] > 0)).sum(axis=2) / at_least.sum(axis=2)
    average = (precision * labels).sum(axis=1) / np.maximum(labels.sum(axis=1), 1)
    return _mean(average, labeled if weights is None else weights * labeled)


def solo(labels: Array, presence: Array, weights: Array | None = None) -> dict[str, Array]:
    """Return every metric of clips with one instrument each; all micro averages would be `top1`."""
    macro = agreement(labels, strongest(presence), weights)
    names = ("macro_f1", "macro_precision", "macro_recall")
    return {"top1": top1(labels, presence, weights), **{name: macro[name] for name in names}}


def mixtures(
    labels: Array, presence: Array, decisions: Array, count: Array | None = None, weights: Array | None = None
) -> dict[str, Array]:
    """Return every metric of clips with any number of instruments, and those of `counted` if the model counts."""
    values = {
        **agreement(labels, decisions, weights),
        "exact_set": exact_set(labels, decisions, weights),
        "lrap": lrap(labels, presence, weights),
    }
    return values if count is None else values | counted(labels, presence, count, weights)


def counted(labels: Array, presence: Array, count: Array, weights: Array | None = None) -> dict[str, Array]:
    """Return every metric of a model that also counts, as in Sethi (2018).

    Returns
    -------
    `count_accuracy`; `count_macro_f1`, `count_macro_precision`, `count_macro_recall`: over the numbers that occur;
    `by_count_micro_f1`, …: `agreement` of the classes that `top_k` detects; `total_accuracy`: share of clips where
    these classes are exactly right.
    """
    chosen = top_k(presence, count)
    return {
        **numbers(labels, count, weights),
        **{f"by_count_{name}": value for name, value in agreement(labels, chosen, weights).items()},
        "total_accuracy": exact_set(labels, chosen, weights),
    }


def numbers(labels: Array, count: Array, weights: Array | None = None) -> dict[str, Array]:
    """Return the metrics of the number of instruments alone: `count_accuracy`, `count_macro_f1`, … of `counted`."""
    averages = agreement(_one_hot(_number(labels, count), count.shape[1]), strongest(count), weights)
    macro = {f"count_{name}": averages[name] for name in ("macro_f1", "macro_precision", "macro_recall")}
    return {"count_accuracy": count_accuracy(labels, count, weights), **macro}


def class_f1(labels: Array, decisions: Array, weights: Array | None = None) -> Array:
    """Return F1 per class [shape=(..., classes)]; 0 instead of a division by 0."""
    true_positive, predicted, actual = _tallies(labels, decisions, weights)
    return _ratio(2 * true_positive, predicted + actual, 0.0)


def per_class(labels: Array, decisions: Array) -> list[tuple[float, float, float, int]]:
    """Return precision, recall, F1 and number of clips per class; 0 instead of a division by 0."""
    true_positive, predicted, actual = _tallies(labels, decisions, None)
    values = (
        true_positive / np.maximum(predicted, 1),
        true_positive / np.maximum(actual, 1),
        2 * true_positive / np.maximum(predicted + actual, 1),
    )
    return list(zip(*(value.tolist() for value in values), actual.astype(int).tolist(), strict=True))


def _number(labels: Array, count: Array) -> Array:
    """Return the index in `count` of the actual number of instruments [shape=(clips,)]."""
    return np.asarray(np.minimum(labels.sum(axis=1), count.shape[1] - 1))


def _one_hot(columns: Array, classes: int) -> Array:
    return np.equal.outer(columns, np.arange(classes)).astype(np.uint8)


def _tallies(labels: Array, decisions: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Count true positives, predicted and actual positives per class [shape=(..., classes)]."""
    weights = np.ones(len(labels)) if weights is None else weights
    true_positive, predicted, actual = (
        weights @ part.astype(np.float64) for part in (labels * decisions, decisions, labels)
    )
    return true_positive, predicted, actual


def _macro(ratios: Array, predicted: Array, actual: Array) -> Array:
    """Return the mean over classes that occur; if none does, 1 if nothing is detected, and else 0."""
    occurs = actual > 0
    return np.where(occurs.any(-1), _ratio((ratios * occurs).sum(-1), occurs.sum(-1)), ~predicted.any(-1))


def _mean(values: Array, weights: Array | None) -> Array:
    weights = np.ones(len(values)) if weights is None else weights
    return _ratio(weights @ values.astype(np.float64), weights.sum(-1))


def _ratio(part: Array, whole: Array, otherwise: ArrayLike = 1.0) -> Array:
    """Return `part / whole`, or `otherwise` if the whole is 0."""
    return np.where(whole > 0, part / np.maximum(whole, 1), otherwise)
