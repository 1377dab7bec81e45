"""The start of training: random weights, or those of a trained model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

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
    try:
        model.set_weights(known.model.get_weights())
    except ValueError as error:
        raise UserError(
            "model-mismatch",
            "params.yaml: train.start",
            f"{start} has {known.model.count_params():,} weights, task and model in "
            f"params.yaml make {model.count_params():,}; set these as they were for it",
        ) from error
