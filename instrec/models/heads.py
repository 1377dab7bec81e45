"""The tasks, each with a head, targets and losses.

Every model has an output `presence` [shape=(clips, classes)], 0..1: the probability of each class. If the task includes
the count, it has an output `count` [shape=(clips, 4)]. With `presence`, this is the two-part output of Sethi (2018): a
one-hot count followed by a bit for each instrument.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.models.backend import keras, layers
from instrec.params import TrainParams

COUNTS = 4  # none, one, two, or three and more instruments at once

Targets = dict[str, npt.NDArray[np.float32]]


class Task(ABC):
    """The task of a model."""

    counts = False

    @abstractmethod
    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        """Return the head: outputs by name, from features [shape=(clips, any)]; float32, also with mixed precision."""

    def targets(self, labels: npt.NDArray[np.float32]) -> Targets:
        """Return the targets of the outputs, from labels [shape=(clips, classes)], 0 or 1."""
        return {"presence": labels}

    @abstractmethod
    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        """Return the losses and their weights for so many classes, by output."""

    def metrics(self) -> dict[str, list[Any]]:
        """Return the metrics of the history, by output."""
        # Keras puts the name of the output before its metrics only if there are several outputs.
        name = "f1" if self.counts else "presence_f1"
        return {"presence": [keras.metrics.F1Score(average="micro", threshold=0.5, name=name)]}


class Multilabel(Task):
    """Which classes sound, independently; if trained on solo clips, which class is predominant (Han 2017)."""

    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        return {"presence": layers.Dense(classes, activation="sigmoid", dtype="float32", name="presence")(features)}

    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        return {"presence": keras.losses.BinaryCrossentropy(label_smoothing=train.label_smoothing)}, {"presence": 1.0}


class CountPresence(Multilabel):
    """Which classes sound, and how many."""

    counts = True

    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        presence = super().outputs(features, classes)
        count = layers.Dense(COUNTS, activation="softmax", dtype="float32", name="count")
        return {**presence, "count": count(features)}

    def targets(self, labels: npt.NDArray[np.float32]) -> Targets:
        return {
            "presence": labels,
            "count": np.eye(COUNTS, dtype=np.float32)[np.minimum(labels.sum(axis=1).astype(int), COUNTS - 1)],
        }

    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        losses, _ = super().losses(train, classes)
        # The classes are independent decisions, and the count is one more. Keras takes the mean over the classes, so
        # its weight grows with them: a class weighs the same among 15, where it is 10, as among 128.
        weights = {"presence": 10.0 * classes / 15, "count": 0.5}
        return {**losses, "count": keras.losses.CategoricalCrossentropy()}, weights

    def metrics(self) -> dict[str, list[Any]]:
        return {**super().metrics(), "count": [keras.metrics.CategoricalAccuracy(name="accuracy")]}


class Solo(Task):
    """Which one of the classes sounds."""

    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        return {"presence": layers.Dense(classes, activation="softmax", dtype="float32", name="presence")(features)}

    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        return {"presence": keras.losses.CategoricalCrossentropy(label_smoothing=train.label_smoothing)}, {
            "presence": 1.0
        }


TASKS: dict[str, Task] = {"count_presence": CountPresence(), "multilabel": Multilabel(), "solo": Solo()}
