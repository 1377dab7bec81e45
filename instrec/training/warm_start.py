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
from instrec.models.classifier import Classifier
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
        set_prior(model, heads.labels_of(training))
    take_weights(model, params, training.classes)


def set_prior(model: Any, labels: npt.NDArray[Any]) -> None:
    """Let the last layer's bias say how often each class, and each count, is among labels [shape=(clips, classes)].

    Unknown labels count for nothing.

    With many classes nearly all answers are no, and random weights learn that first, for long.

    Source: Lin et al., Focal loss for dense object detection (ICCV 2017), section 3.3.
    """
    known = np.maximum((labels != heads.UNKNOWN).sum(axis=0), 2)
    rates = np.clip((labels == 1).sum(axis=0) / known, 1 / known, 1 - 1 / known)
    for name, bias in (
        (calibration.HEAD, np.log(rates) - np.log1p(-rates)),
        (calibration.COUNT, calibration.expected(labels, heads.COUNTS)),
    ):
        if name in model.output:
            layer = model.get_layer(name)
            layer.set_weights([layer.get_weights()[0], bias.astype(np.float32)])


def take_weights(model: Any, params: Params, classes: tuple[str, ...]) -> None:
    """Give a new model the weights of the one that `train.start` names, if any.

    That one may have used another hop: a network that pools over time has the same size, and soon adapts. It may have
    other classes: the last layer keeps random weights for those that it does not know.

    Raises
    ------
    UserError
        If that model is missing or damaged, or has other features or none of the classes of params.yaml; if it has
        other classes, and `train.start_share` asks for the mean with it.
    """
    start = path(params)
    if start is None:
        return
    known = classifier.load(start)
    spectrogram = replace(known.card.spectrogram, hop=params.spectrogram.hop)
    fit = known.card.classes == classes if params.train.start_share else set(known.card.classes) & set(classes)
    for section, its, fits in (
        ("classes", known.card.classes, fit),
        ("clip", known.card.clip, known.card.clip == params.clip),
        ("spectrogram", spectrogram, spectrogram == params.spectrogram),
    ):
        if not fits:
            raise UserError(
                "model-mismatch",
                "params.yaml: train.start",
                f"{start} was trained with other {section}: {its}; set them so",
            )
    _set_weights(model, _in_classes(model, known, classes), start)


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


def _in_classes(model: Any, known: Classifier, classes: tuple[str, ...]) -> list[Any]:
    """Return the weights of a known model, its last layer with other classes: new ones keep what `model` has."""
    weights: list[Any] = known.model.get_weights()
    theirs, own = (each.get_layer(calibration.HEAD).weights for each in (known.model, model))
    if known.card.classes == classes or theirs[0].shape[0] != own[0].shape[0]:  # another network, refused later
        return weights
    for variable, of_ours in zip(theirs, own, strict=True):
        place = next(number for number, each in enumerate(known.model.weights) if each is variable)
        values = of_ours.numpy()
        for column, name in enumerate(classes):
            if name in known.card.classes:
                values[..., column] = weights[place][..., known.card.classes.index(name)]
        weights[place] = values
    return weights


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
