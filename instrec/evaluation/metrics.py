"""How good predictions are: check, single metrics, and all of them at once; arrays in, plain numbers out.

Conventions, the same for every metric:

- Clips are rows (at least one), classes are columns. `labels` holds 0 or 1, `presence` 0..1, `count` a
  probability for each number of instruments 0, 1, 2, … where the last stands for "that many or more".
- A solo clip is decided by its strongest class; any other clip by all classes that reach their threshold, and,
  where a model counts, by as many of the most probable classes as it counts (`top_k`).
- Micro averages go over all pairs of clip and class, macro averages over the classes that occur in the labels; the
  precision of a class that is never decided for is 0.
- Where there is nothing to find (silence), finding nothing scores 1 and finding anything scores 0. LRAP
  passes over clips without a label, and is 1 where no clip has one.
- `weights` says how often each clip counts [shape=(..., clips)], once by default. Its leading axes carry
  through to the result, so that a thousand bootstrap resamplings are a few matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def validate(labels: Array, presence: Array, count: Array | None = None) -> None:
    """Check that there are clips, shapes agree and values are in range.

    Raises
    ------
    ValueError
        Naming what is wrong.
    """
    if labels.ndim != 2 or labels.shape != presence.shape or not labels.size:
        raise ValueError(f"labels {labels.shape} and presence {presence.shape} must both be (clips, classes)")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    if not ((presence >= 0) & (presence <= 1)).all():
        raise ValueError("presence must be within 0..1")
    if count is not None and (count.ndim != 2 or len(count) != len(labels) or not np.isfinite(count).all()):
        raise ValueError(f"count {count.shape} must be finite and (clips, counts) for {len(labels)} clips")


def strongest(presence: Array) -> Array:
    """Decide for each clip's strongest class, the first among equals; 0 or 1 [shape=(clips, classes)]."""
    return _one_hot(presence.argmax(axis=1), presence.shape[1])


def decide(presence: Array, thresholds: ArrayLike) -> Array:
    """Decide for every class that reaches its threshold; 0 or 1 [shape=(clips, classes)]."""
    # In doubles, because a threshold may lie between two neighboring single-precision numbers.
    return (presence >= np.asarray(thresholds, np.float64)).astype(np.uint8)


def top_k(presence: Array, count: Array) -> Array:
    """Decide for the k most probable classes, k being the likeliest number of instruments (Sethi 2018); 0 or 1
    [shape=(clips, classes)]."""
    ranks = np.argsort(-presence, axis=1, kind="stable").argsort(axis=1)
    return np.asarray(ranks < count.argmax(axis=1)[:, None], np.uint8)


def top1(labels: Array, presence: Array, weights: Array | None = None) -> Array:
    """Share of clips whose strongest class is among their labels."""
    return _mean((labels * strongest(presence)).sum(axis=1), weights)


def agreement(labels: Array, decisions: Array, weights: Array | None = None) -> dict[str, Array]:
    """Precision, recall and F1, each as micro and as macro average: `micro_f1`, `macro_f1`, `micro_precision`, …"""
    hits, found, wanted = _tallies(labels, decisions, weights)
    nothing = (found + wanted).sum(-1) == 0
    figures = {}
    for name, part, whole in (
        ("f1", 2 * hits, found + wanted),
        ("precision", hits, found),
        ("recall", hits, wanted),
    ):
        figures[f"micro_{name}"] = _ratio(part.sum(-1), whole.sum(-1), nothing)
        figures[f"macro_{name}"] = _macro(_ratio(part, whole, 0.0), found, wanted)
    return figures


def count_accuracy(labels: Array, count: Array, weights: Array | None = None) -> Array:
    """Share of clips whose number of instruments is the likeliest one."""
    return _mean(count.argmax(axis=1) == _number(labels, count), weights)


def exact_set(labels: Array, decisions: Array, weights: Array | None = None) -> Array:
    """Share of clips where the classes decided for are the labels, none missing and none too many."""
    return _mean(np.all(labels == decisions, axis=1), weights)


def lrap(labels: Array, presence: Array, weights: Array | None = None) -> Array:
    """Label ranking average precision: the mean, over clips and a clip's labels, of the share of labels among
    the classes that are at least as strong (Schapire and Singer 2000)."""
    labeled = labels.sum(axis=1) > 0
    at_least = presence[:, None, :] >= presence[:, :, None]  # (clips, class, other class)
    precision = (at_least & (labels[:, None, :] > 0)).sum(axis=2) / at_least.sum(axis=2)
    average = (precision * labels).sum(axis=1) / np.maximum(labels.sum(axis=1), 1)
    return _mean(average, labeled if weights is None else weights * labeled)


def solo(labels: Array, presence: Array, weights: Array | None = None) -> dict[str, Array]:
    """Every metric of clips with one instrument each; micro averages would all be `top1`."""
    macro = agreement(labels, strongest(presence), weights)
    names = ("macro_f1", "macro_precision", "macro_recall")
    return {"top1": top1(labels, presence, weights), **{name: macro[name] for name in names}}


def mixtures(
    labels: Array, presence: Array, decisions: Array, count: Array | None = None, weights: Array | None = None
) -> dict[str, Array]:
    """Every metric of clips with any number of instruments, those of `counted` where the model counts."""
    figures = {
        **agreement(labels, decisions, weights),
        "exact_set": exact_set(labels, decisions, weights),
        "lrap": lrap(labels, presence, weights),
    }
    return figures if count is None else figures | counted(labels, presence, count, weights)


def counted(labels: Array, presence: Array, count: Array, weights: Array | None = None) -> dict[str, Array]:
    """Every metric of a two-part output as Sethi (2018) reads it.

    Returns
    -------
    `count_accuracy`; `count_macro_f1`, `count_macro_precision`, `count_macro_recall`: over the numbers that occur;
    `by_count_micro_f1`, …: `agreement` of the instruments that `top_k` decides for; `total_accuracy`: share of clips
    where these, and so their number, are right.
    """
    numbers = agreement(_one_hot(_number(labels, count), count.shape[1]), strongest(count), weights)
    chosen = top_k(presence, count)
    return {
        "count_accuracy": count_accuracy(labels, count, weights),
        **{f"count_{name}": numbers[name] for name in ("macro_f1", "macro_precision", "macro_recall")},
        **{f"by_count_{name}": value for name, value in agreement(labels, chosen, weights).items()},
        "total_accuracy": exact_set(labels, chosen, weights),
    }


def evaluate(
    measure: Callable[[Array | None], dict[str, Array]],
    *,
    clips: int,
    rounds: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return every metric with its bootstrap interval.

    Parameters
    ----------
    measure : `solo`, `mixtures` or `agreement` with everything but `weights` given.
    clips : how many clips it measures.
    rounds : how many times as many clips are drawn from them, with replacement.
    rng : decides the draws; with equal seeds, two models are measured on the same ones.

    Returns
    -------
    Flat dict: `clips`, every metric, and `intervals`: for every metric `[low, high]`, the 2.5 and 97.5
    percentiles, widened to the metric itself where few clips make the percentiles miss it.
    """
    equally = np.full(clips, 1 / clips)
    step = max(1, 2**22 // clips)  # rounds at a time, so that a set of any size fits in memory
    blocks = [
        measure(rng.multinomial(clips, equally, size=min(step, rounds - start))) for start in range(0, rounds, step)
    ]
    values = {name: float(value) for name, value in measure(None).items()}
    intervals = {}
    for name, value in values.items():
        low, high = np.quantile(np.concatenate([block[name] for block in blocks]), (0.025, 0.975))
        intervals[name] = [min(float(low), value), max(float(high), value)]
    return {"clips": clips, **values, "intervals": intervals}


def per_class(labels: Array, decisions: Array) -> list[tuple[float, float, float, int]]:
    """Precision, recall, F1 and number of clips of each class; 0 where a figure would divide by nothing."""
    hits, found, wanted = _tallies(labels, decisions, None)
    figures = (
        hits / np.maximum(found, 1),
        hits / np.maximum(wanted, 1),
        2 * hits / np.maximum(found + wanted, 1),
    )
    return list(zip(*(figure.tolist() for figure in figures), wanted.astype(int).tolist(), strict=True))


def best_thresholds(labels: Array, presence: Array) -> Array:
    """Choose the threshold of each class that makes its F1 highest; to be done on validation data.

    Of calibrated probabilities it is half of that F1 (Lipton et al., Optimal Thresholding of Classifiers to Maximize F1
    Measure, ECML PKDD 2014, theorem 1). How high F1 gets is much surer than where it does so, which a few clips decide.
    Thresholds are for mixtures: clips of one instrument are left out where there are others. A class that never occurs
    gets 0.5.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]

    Returns
    -------
    [shape=(classes,)], float64, at most 0.5
    """
    validate(labels, presence)
    mixed = labels.sum(axis=1) != 1
    used = mixed if mixed.any() else ~mixed
    return np.array([_highest_f1(*columns) / 2 for columns in zip(labels[used].T, presence[used].T, strict=True)])


def _highest_f1(labels: Array, presence: Array) -> float:
    from sklearn.metrics import precision_recall_curve  # a second to import, and only training comes here

    if not labels.any():
        return 1.0
    precision, recall, _ = precision_recall_curve(labels, presence.astype(np.float64))
    return float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())


def _number(labels: Array, count: Array) -> Array:
    """The place in `count` that stands for each clip's number of instruments [shape=(clips,)]."""
    return np.asarray(np.minimum(labels.sum(axis=1), count.shape[1] - 1))


def _one_hot(columns: Array, classes: int) -> Array:
    return np.equal.outer(columns, np.arange(classes)).astype(np.uint8)


def _tallies(labels: Array, decisions: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Count the clips rightly decided for, decided for, and labeled, a class [shape=(..., classes)]."""
    weights = np.ones(len(labels)) if weights is None else weights
    hits, found, wanted = (weights @ part.astype(np.float64) for part in (labels * decisions, decisions, labels))
    return hits, found, wanted


def _macro(ratios: Array, found: Array, wanted: Array) -> Array:
    """Mean over classes that occur; where none does, 1 if nothing was found and else 0."""
    occurs = wanted > 0
    return np.where(occurs.any(-1), _ratio((ratios * occurs).sum(-1), occurs.sum(-1)), ~found.any(-1))


def _mean(values: Array, weights: Array | None) -> Array:
    weights = np.ones(len(values)) if weights is None else weights
    return _ratio(weights @ values.astype(np.float64), weights.sum(-1))


def _ratio(part: Array, whole: Array, otherwise: ArrayLike = 1.0) -> Array:
    """`part / whole`, and `otherwise` where the whole is nothing."""
    return np.where(whole > 0, part / np.maximum(whole, 1), otherwise)
