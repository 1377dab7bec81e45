"""Weight averaging: on unseen sounds, the mean of several epochs is better than any single epoch.

Source: Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization (UAI 2018), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from instrec.models.backend import keras
from instrec.params import TrainParams
from instrec.training.batches import Batches

_BATCHES = 100  # enough for moving averages of batch normalization, which forget all but the last sixty or so


def epochs(train: TrainParams) -> int:
    """Return the number of the last epochs that are averaged."""
    return round(train.average_share * train.epochs)


def average(files: Sequence[Path], batches: Batches) -> Any:
    """Return a model whose weights are the mean of those in the files of one training.

    The statistics of batch normalization are computed anew for the mean, with some of the batches.
    """
    models = [keras.models.load_model(path, compile=False) for path in files]
    mean, *others = models
    weights = zip(*(model.get_weights() for model in models), strict=True)
    mean.set_weights([np.mean(of_one, axis=0) for of_one in weights])
    if others:
        for index in range(min(_BATCHES, len(batches))):
            mean(batches[index][0], training=True)
    return mean
