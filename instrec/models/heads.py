"""The tasks, each with a head, targets and losses.

Every model has an output `presence` [shape=(clips, classes)], 0..1: the probability of each class. If the task includes
the count, it has an output `count` [shape=(clips, 4)]. With `presence`, this is the two-part output of Sethi (2018): a
one-hot count followed by a bit for each instrument.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instrec.models.backend import keras, layers
from instrec.params import TrainParams
from instrec.util.hdf5 import Store

COUNTS = 4  # none, one, two, or three and more instruments at once
UNKNOWN = 0.5  # as a label: the class may sound or not

Floats = npt.NDArray[np.float32]
Targets = dict[str, Floats]

_registered = keras.saving.register_keras_serializable("instrec")  # a resumed training loads them by name


def labels_of(store: Store, rows: Any = ...) -> Floats:
    """Return the labels of clips: 0, 1 or `UNKNOWN` [shape=(clips, classes)]."""
    return np.where(store.unknown[rows], np.float32(UNKNOWN), store.labels[rows]).astype(np.float32)


def complete(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which clips have no unknown label, and so a known number of instruments [shape=(clips,)]."""
    return np.asarray((labels != UNKNOWN).all(axis=1))


@_registered
class PresenceLoss(keras.losses.BinaryCrossentropy):  # type: ignore[misc]
    """Binary cross-entropy of the known labels, summed up and divided by the number of classes: all weigh the same."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        smoothed = y_true * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = keras.ops.binary_crossentropy(smoothed, y_pred)
        return keras.ops.mean(keras.ops.where(y_true == UNKNOWN, 0.0, losses), axis=-1)


@_registered
class PresenceF1(keras.metrics.F1Score):  # type: ignore[misc]
    """F1 of the known labels."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        labels, presence = (keras.ops.where(y_true == UNKNOWN, 0.0, each) for each in (y_true, y_pred))
        super().update_state(labels, presence, sample_weight)


@_registered
class CountLoss(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]
    """Categorical cross-entropy; a target of zeros has none, and no gradient, which TensorFlow's own would have."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return super().call(y_true, y_pred) * keras.ops.sum(y_true, axis=-1)


@_registered
class CountAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
    """Categorical accuracy of the clips whose target is not zeros; all of them weigh the same."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: None = None) -> None:
        super().update_state(y_true, y_pred, keras.ops.sum(y_true, axis=-1))


class Task:
    """Which classes sound, independently; if trained on solo clips, which class is predominant (Han 2017)."""

    counts = False
    activation = "sigmoid"
    loss: type[Any] = PresenceLoss

    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        """Return the head: outputs by name, from features [shape=(clips, any)]; float32, also with mixed precision."""
        presence = layers.Dense(classes, activation=self.activation, dtype="float32", name="presence")
        return {"presence": presence(features)}

    def targets(self, labels: Floats) -> Targets:
        """Return the targets of the outputs, from labels [shape=(clips, classes)]: 0, 1 or `UNKNOWN`."""
        return {"presence": labels}

    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        """Return the losses and their weights for so many classes, by output."""
        return {"presence": self.loss(label_smoothing=train.label_smoothing)}, {"presence": 1.0}

    def metrics(self) -> dict[str, list[Any]]:
        """Return the metrics of the history, by output."""
        # Keras puts the name of the output before its metrics only if there are several outputs.
        name = "f1" if self.counts else "presence_f1"
        return {"presence": [PresenceF1(average="micro", threshold=0.5, name=name)]}


class CountPresence(Task):
    """Which classes sound, and how many."""

    counts = True

    def outputs(self, features: Any, classes: int) -> dict[str, Any]:
        presence = super().outputs(features, classes)
        count = layers.Dense(COUNTS, activation="softmax", dtype="float32", name="count")
        return {**presence, "count": count(features)}

    def targets(self, labels: Floats) -> Targets:
        count = np.eye(COUNTS, dtype=np.float32)[np.minimum(labels.sum(axis=1).astype(int), COUNTS - 1)]
        return {"presence": labels, "count": count * complete(labels)[:, np.newaxis]}

    def losses(self, train: TrainParams, classes: int) -> tuple[dict[str, Any], dict[str, float]]:
        losses, _ = super().losses(train, classes)
        # The classes are independent decisions, and the count is one more. Keras takes the mean over the classes, so
        # its weight grows with them: a class weighs the same among 15, where it is 10, as among 128.
        weights = {"presence": 10.0 * classes / 15, "count": 0.5}
        return {**losses, "count": CountLoss()}, weights

    def metrics(self) -> dict[str, list[Any]]:
        return {**super().metrics(), "count": [CountAccuracy(name="accuracy")]}


class Solo(Task):
    """Which one of the classes sounds."""

    activation = "softmax"
    loss = keras.losses.CategoricalCrossentropy


TASKS: dict[str, Task] = {"count_presence": CountPresence(), "multilabel": Task(), "solo": Solo()}
