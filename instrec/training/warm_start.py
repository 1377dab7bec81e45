"""Where training starts: at random weights, or at those of a model that has learned already."""

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
    """Return the model that training goes on from, if it does not start at random weights."""
    return None if params.train.start == RANDOM else provenance.repository() / params.train.start


def take_weights(model: Any, params: Params, classes: tuple[str, ...]) -> None:
    """Return a new model the weights of the one that `train.start` names, if it names one.

    Its pictures may have had another hop: a network that pools over time is as large for any, and soon learns what half
    or twice the time looks like.

    Raises
    ------
    UserError
        When that one is missing or damaged, or hears or tells apart anything else than params.yaml says.
    """
    start = path(params)
    if start is None:
        return
    known = classifier.load(start)
    pictures = replace(known.card.spectrogram, hop=params.spectrogram.hop)
    for section, its, ours in (
        ("classes", known.card.classes, classes),
        ("clip", known.card.clip, params.clip),
        ("spectrogram", pictures, params.spectrogram),
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
