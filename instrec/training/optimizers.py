"""The optimizer, and its learning rate over the steps."""

from __future__ import annotations

import math
from typing import Any

from instrec.models.backend import keras
from instrec.params import TrainParams
from instrec.training import weight_averaging


def make(train: TrainParams, steps: int) -> Any:
    """Return the optimizer that params.yaml names; `steps` is the number of batches in an epoch."""
    rate = schedule(train, steps)
    if train.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=train.weight_decay)
    if train.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    return keras.optimizers.SGD(rate, momentum=train.momentum, nesterov=train.nesterov)


def schedule(train: TrainParams, steps: int) -> Any:
    """Return the learning rate over the steps of all epochs, or a constant one."""
    rate, schedules = train.learning_rate, keras.optimizers.schedules
    if train.schedule == "cosine":
        falling = steps * (train.epochs - weight_averaging.epochs(train))
        warmup = min(steps * train.epochs // 10, 2 * steps)
        down = max(1, falling - warmup)
        return schedules.CosineDecay(0.0, down, alpha=train.final_rate_share, warmup_target=rate, warmup_steps=warmup)
    if train.schedule == "exponential":
        return schedules.ExponentialDecay(rate, steps, math.exp(-train.decay), staircase=True)
    if train.schedule == "inverse":
        return schedules.InverseTimeDecay(rate, 1, train.decay)
    return rate
