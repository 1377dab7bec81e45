"""Probabilities that mean what they say: of all that are given as 0.7, seven in ten should be right.

Label smoothing and mixed clips leave a model less sure than it may be. One temperature for all classes, fitted on
validation data, mends that, and is divided into the weights of the last layer, so that whatever runs the model gives
calibrated probabilities. No class passes another by it: rankings stay as they are.

Most clips hold one instrument, and a model that counts learns to expect that. What it hears elsewhere may hold any
number, so what it expects is taken out of its last layer.

Sources: Guo et al., On Calibration of Modern Neural Networks (ICML 2017); Saerens, Latinne and Decaestecker, Adjusting
the Outputs of a Classifier to New a Priori Probabilities (Neural Computation 14, 2002), equation 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from instrec.models.backend import keras

Array = NDArray[Any]

HEAD, COUNT = "presence", "count"  # the layers that give them, in every architecture
_COLDEST, _HOTTEST = 0.25, 4.0  # beyond, validation data is too little to go by, and cold ends in ones and zeros
_TINY = 1e-7  # probabilities nearer to 0 or 1 are taken for this


def temperature(labels: Array, presence: Array, *, exclusive: bool = False) -> float:
    """Find the temperature under which the labels are likeliest, to four decimals.

    Parameters
    ----------
    labels, presence : [shape=(clips, classes)]
    exclusive : whether a clip's probabilities are shares of one (softmax), not each a question of its own (sigmoid).
    """
    from scipy.optimize import minimize_scalar

    sure = np.clip(presence.astype(np.float64), _TINY, 1 - _TINY)
    logits = np.log(sure) if exclusive else np.log(sure) - np.log1p(-sure)

    def surprise(exponent: float) -> float:
        scaled = logits / np.exp(exponent)
        total = np.logaddexp.reduce(scaled, axis=1) if exclusive else np.logaddexp(0, scaled).sum(axis=1)
        return float((total - (labels * scaled).sum(axis=1)).mean())

    found = minimize_scalar(surprise, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def calibrate(model: keras.Model, labels: Array, presence: Array) -> None:
    """Bring a model to the temperature that labels ask for, given its presence, both [shape=(clips, classes)].

    Where it counts, each number of instruments among the labels is made as likely beforehand as the others.
    """
    head = model.get_layer(HEAD)
    exclusive = head.activation.__name__ == "softmax"
    degrees = temperature(labels, presence, exclusive=exclusive)
    head.set_weights([weights / degrees for weights in head.get_weights()])
    if any(layer.name == COUNT for layer in model.layers):
        counter = model.get_layer(COUNT)
        kernel, bias = counter.get_weights()
        counter.set_weights([kernel, bias - expected(labels, len(bias))])


def expected(labels: Array, counts: int) -> Array:
    """Return the logarithm of how often each number of instruments occurs [shape=(counts,)]; 0 where it never does."""
    found = np.bincount(np.minimum(labels.sum(axis=1).astype(int), counts - 1), minlength=counts)
    return np.asarray(np.log(np.where(found, found / len(labels), 1.0)).astype(np.float32))
