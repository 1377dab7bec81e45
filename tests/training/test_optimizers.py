"""Optimizers and learning rates: what params.yaml asks for."""

from dataclasses import replace

import numpy as np
import pytest

from instrec.params import Params
from instrec.training import optimizers


@pytest.mark.parametrize(
    ("schedule", "decay", "averaged", "expected"),
    [
        ("constant", 0.0, 0.5, {0: 0.1, 50: 0.1}),
        ("exponential", 0.1, 0.5, {0: 0.1, 9: 0.1, 10: 0.1 * np.exp(-0.1), 35: 0.1 * np.exp(-0.3)}),
        ("inverse", 0.02, 0.5, {0: 0.1, 1: 0.1 / 1.02, 50: 0.05}),
        ("cosine", 0.0, 0.0, {0: 0.0, 4: 0.1, 22: 0.065, 40: 0.03}),
        ("cosine", 0.0, 0.5, {0: 0.0, 4: 0.1, 12: 0.065, 20: 0.03, 40: 0.03}),
        ("cosine", 0.0, 1.0, {0: 0.0, 5: 0.03, 40: 0.03}),
    ],
)
def test_the_learning_rate_falls_as_its_schedule_says(
    small_params: Params, schedule: str, decay: float, averaged: float, expected: dict[int, float]
) -> None:
    """Of four epochs of ten steps: steps decide, and for `exponential` whole epochs."""
    parameters = replace(
        small_params.train,
        epochs=4,
        schedule=schedule,
        decay=decay,
        learning_rate=0.1,
        average_share=averaged,
        final_rate_share=0.3,
    )
    rate = optimizers.schedule(parameters, 10)
    for step, value in expected.items():
        assert float(rate(step) if callable(rate) else rate) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("optimizer", "name"), [("adamw", "AdamW"), ("adam", "Adam"), ("sgd", "SGD")])
def test_the_optimizer_is_the_one_asked_for(small_params: Params, optimizer: str, name: str) -> None:
    made = optimizers.make(replace(small_params.train, optimizer=optimizer, momentum=0.7, nesterov=True), 10)
    assert type(made).__name__ == name
    if optimizer == "sgd":
        assert (made.momentum, made.nesterov) == (0.7, True)
