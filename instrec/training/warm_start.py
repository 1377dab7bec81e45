"""The start of training: random weights, or those of a trained model, which may stay in the mean of the weights.

Source: Wortsman et al., Robust fine-tuning of zero-shot models (CVPR 2022), section 3: on other data than that of the
second training, the mean of the weights before and after is better than both.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from instrec.errors import UserError
from instrec.models import classifier
from instrec.params import Params
from instrec.util import provenance

RANDOM = "none"


def path(params: Params) -> Path | None:
    """Return the model to continue from; None for random weights."""
    return None if params.train.start == RANDOM else provenance.repository() / params.train.start


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
