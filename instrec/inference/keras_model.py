"""A model that the pipeline trained, as prediction uses it. Keras must be installed."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from instrec import features
from instrec.audio import separation
from instrec.errors import UserError
from instrec.inference import front_end
from instrec.inference.window_classifier import FloatArray, WindowClassifier
from instrec.models import classifier
from instrec.models.classifier import Classifier


def load(path: Path) -> WindowClassifier:
    """Read a Keras model.

    Raises
    ------
    UserError
        As in `models.classifier.load`, or if its network takes other features than its card describes.
    """
    trained = classifier.load(path)
    described = features.from_params(trained.card.clip, trained.card.spectrogram).shape
    taken = tuple(trained.model.input_shape[1:])
    if taken != described:
        raise UserError(
            "model-mismatch",
            path,
            f"its network takes features of shape {taken}, its card describes {described}; train it again",
        )
    return made(trained)


def made(trained: Classifier) -> WindowClassifier:
    """Return a classifier as what prediction uses."""
    card = trained.card
    rate, part = card.clip.sample_rate, separation.OF_FILE.get(card.spectrogram.part)
    shared = front_end.made(rate, card.clip.samples, asdict(separation.in_clips(card.spectrogram)))
    representation = None if shared else features.from_params(card.clip, card.spectrogram)

    def each_alone(stretch: FloatArray, step: int) -> FloatArray:
        assert representation
        windows = sliding_window_view(stretch, card.clip.samples, axis=0)[::step]
        return representation.batch(np.moveaxis(windows, -1, 1))

    def network(inputs: FloatArray) -> FloatArray:
        presence, count = trained.predict(inputs)
        # In noise, presence rises more readily than the count.
        return presence if count is None else np.asarray(presence * (1 - count[:, :1]), np.float32)

    return WindowClassifier(
        classes=card.classes,
        thresholds=card.thresholds,
        sample_rate=rate,
        window=card.clip.samples,
        grid=shared.grid if shared else 1,
        features=shared or each_alone,
        network=network,
        separate=partial(separation.of_file, sample_rate=rate, part=part) if part else None,
        block=separation.BLOCK_SECONDS * rate,
    )
