"""The start of training: random weights, with the prior or without, or those of a trained model, which may stay in the
mean of the weights.

Source: Wortsman et al., Robust fine-tuning of zero-shot models (CVPR 2022), section 3: on other data than that of the
second training, the mean of the weights before and after is better than both.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.errors import UserError
from instrec.models import classifier, heads
from instrec.params import Params
from instrec.training import calibration
from instrec.util import provenance
from instrec.util.hdf5 import Store

RANDOM, PRIOR = "none", "prior"


def path(params: Params) -> Path | None:
    """Return the model to continue from; None for random weights."""
    return None if params.train.start in (RANDOM, PRIOR) else provenance.repository() / params.train.start


def prepare(model: Any, params: Params, training: Store) -> None:
    """Start a new model as `train.start` says."""
    if params.train.start == PRIOR:
        set_prior(model, training.labels)
    take_weights(model, params, training.classes)


def set_prior(model: Any, labels: npt.NDArray[Any]) -> None:
    """Let the last layer's bias say how often each class, and each count, is among labels [shape=(clips, classes)].

    With many classes nearly all answers are no, and random weights learn that first, for long.

    Source: Lin et al., Focal loss for dense object detection (ICCV 2017), section 3.3.
    """
    rates = np.clip(labels.mean(axis=0), 1 / len(labels), 1 - 1 / len(labels))
    for name, bias in (
        (calibration.HEAD, np.log(rates) - np.log1p(-rates)),
        (calibration.COUNT, calibration.expected(labels, heads.COUNTS)),
    ):
        if name in model.output:
            layer = model.get_layer(name)
            layer.set_weights([layer.get_weights()[0], bias.astype(np.float32)])


def take_weights(model: Any, params: Params, classes: tuple[str, ...]) -> None:
    """Give a new model the weights of the one that `train.start` names, if any.

    That one may have used another hop: a network that pools over time has the same size, and soon adapts.

    Raises
    ------
    UserError
        If that model is missing or damaged, or has other classes or features than params.yaml.
    """
    start = path(params)
    if start is None:
        return
    known = classifier.load(start)
    spectrogram = replace(known.card.spectrogram, hop=params.spectrogram.hop)
    for section, its, ours in (
        ("classes", known.card.classes, classes),
        ("clip", known.card.clip, params.clip),
        ("spectrogram", spectrogram, params.spectrogram),
    ):
        if its != ours:
            raise UserError(
                "model-mismatch",
                "params.yaml: train.start",
                f"{start} was trained with other {section}: {its}; set them so",
            )
    _set_weights(model, known.model.get_weights(), start)


def keep_share(model: Any, params: Params) -> None:
    """Give a trained model the mean of its weights and those that it started from, by `train.start_share`.

    Both must be calibrated, so that they speak at one scale. Statistics of batch normalization are averaged, too.

    Raises
    ------
    UserError
        If the model that training started from is missing or damaged.
    """
    start, share = path(params), params.train.start_share
    if start is None or not share:
        return
    pairs = zip(classifier.load(start).model.get_weights(), model.get_weights(), strict=True)
    _set_weights(model, [(share * before + (1 - share) * after).astype(np.float32) for before, after in pairs], start)


def _set_weights(model: Any, weights: list[Any], start: Path) -> None:
    try:
        model.set_weights(weights)
    except ValueError as error:
        raise UserError(
            "model-mismatch",
            "params.yaml: train.start",
            f"{start} has {sum(each.size for each in weights):,} weights, task and model in "
            f"params.yaml make {model.count_params():,}; set these as they were for it",
        ) from error
