"""Calibration: of all decisions with probability 0.7, seven in ten should be right. And thresholds, which need it.

Label smoothing and mixed clips make probabilities too small. One temperature for all classes, fitted on validation
data, corrects this. The weights of the last layer are divided by it, so the model itself returns calibrated
probabilities. Rankings do not change.

Most training clips have one instrument, and a model that counts learns this as a prior. Other audio may have any
number, so the prior is removed from the last layer.

Labels are 0, 1, or `heads.UNKNOWN`, which counts for nothing.

Sources: Guo et al., On Calibration of Modern Neural Networks (ICML 2017); Saerens, Latinne and Decaestecker, Adjusting
the Outputs of a Classifier to New a Priori Probabilities (Neural Computation 14, 2002), equation 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from instrec.models.heads import UNKNOWN, complete

if TYPE_CHECKING:
    from instrec.models.backend import keras

Array = NDArray[Any]

HEAD, COUNT = "presence", "count"  # the layers that give them, in every architecture
_COLDEST, _HOTTEST = 0.25, 4.0  # beyond, validation data is too little to go by, and cold ends in ones and zeros
_TINY = 1e-7  # probabilities nearer to 0 or 1 are taken for this


def temperature(labels: Array, presence: Array, *, exclusive: bool = False) -> float:
    """Return the temperature that maximizes the likelihood of the labels, to four decimals.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]
    exclusive : whether the probabilities of a clip add up to 1 (softmax), and are not independent (sigmoid); all labels
        are known then.
    """
    from scipy.optimize import minimize_scalar

    sure = np.clip(presence.astype(np.float64), _TINY, 1 - _TINY)
    logits = np.log(sure) if exclusive else np.log(sure) - np.log1p(-sure)
    logits = np.where(labels == UNKNOWN, 0, logits)  # at any temperature, as likely as another

    def surprise(exponent: float) -> float:
        scaled = logits / np.exp(exponent)
        total = np.logaddexp.reduce(scaled, axis=1) if exclusive else np.logaddexp(0, scaled).sum(axis=1)
        return float((total - (labels * scaled).sum(axis=1)).mean())

    found = minimize_scalar(surprise, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def calibrate(model: keras.Model, labels: Array, presence: Array) -> None:
    """Divide a model by the temperature of its presence for the labels, both [shape=(clips, classes)].

    If it counts, the prior of each number of instruments becomes uniform.
    """
    temper(model, labels, presence)
    if COUNT in model.output:
        counter = model.get_layer(COUNT)
        kernel, bias = counter.get_weights()
        counter.set_weights([kernel, bias - expected(labels, len(bias))])


def temper(model: keras.Model, labels: Array, presence: Array) -> None:
    """Divide a model by the temperature of its presence alone."""
    head = model.get_layer(HEAD)
    exclusive = head.activation.__name__ == "softmax"
    degrees = temperature(labels, presence, exclusive=exclusive)
    head.set_weights([weights / degrees for weights in head.get_weights()])


def expected(labels: Array, counts: int) -> Array:
    """Return the logarithm of how often each number of instruments occurs [shape=(counts,)]; 0 where it never does.

    Clips with unknown labels are left out.
    """
    found = np.bincount(np.minimum(labels[complete(labels)].sum(axis=1).astype(int), counts - 1), minlength=counts)
    return np.asarray(np.log(np.where(found, found / max(1, found.sum()), 1.0)).astype(np.float32))


def best_thresholds(labels: Array, presence: Array) -> Array:
    """Choose the threshold of each class that maximizes its F1; use validation data.

    For calibrated probabilities, it is half of the highest F1 (Lipton et al., Optimal Thresholding of Classifiers to
    Maximize F1 Measure, ECML PKDD 2014, theorem 1). The height of the maximum is much more certain than its place,
    which depends on a few clips. Thresholds are for mixtures: solo clips are left out if there are others. A class that
    never occurs has 0.5.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]

    Returns
    -------
    [shape=(classes,)], float64, at most 0.5
    """
    mixed = (labels.sum(axis=1) != 1) | ~complete(labels)
    used = mixed if mixed.any() else ~mixed
    return np.array([_highest_f1(*columns) / 2 for columns in zip(labels[used].T, presence[used].T, strict=True)])


def _highest_f1(labels: Array, presence: Array) -> float:
    known = labels != UNKNOWN
    if not labels[known].any():
        return 1.0
    falling = np.argsort(-presence[known])
    labels, presence = labels[known][falling], presence[known][falling].astype(np.float64)
    last = np.flatnonzero(np.diff(presence, append=-1))  # of clips of equal presence, which a threshold cannot part
    hits = np.cumsum(labels, dtype=np.int64)[last]
    precision, recall = hits / (last + 1), hits / hits[-1]
    return float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())
