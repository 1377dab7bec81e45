"""What the losses of a task weigh."""

import numpy as np
import pytest

from instrec.models.heads import TASKS
from instrec.params import Params


def of_a_missed_class(params: Params, classes: int) -> float:
    """Return what the loss of presence gains where one of so many classes is missed."""
    losses, weights = TASKS["count_presence"].losses(params.train, classes)
    labels = np.eye(1, classes, dtype=np.float32)
    given, missed = np.where(labels > 0, 0.9, 0.1), np.full_like(labels, 0.1)
    return float(weights["presence"] * (losses["presence"](labels, missed) - losses["presence"](labels, given)))


def test_presence_weighs_ten_for_15_classes(full_params: Params) -> None:
    assert TASKS["count_presence"].losses(full_params.train, 15)[1] == {"presence": 10.0, "count": 0.5}


@pytest.mark.parametrize("classes", [4, 128])
def test_a_class_weighs_the_same_among_any_number(full_params: Params, classes: int) -> None:
    assert of_a_missed_class(full_params, classes) == pytest.approx(of_a_missed_class(full_params, 15), rel=1e-4)


@pytest.mark.parametrize("task", ["multilabel", "solo"])
def test_presence_alone_needs_no_weight(full_params: Params, task: str) -> None:
    assert TASKS[task].losses(full_params.train, 128)[1] == {"presence": 1.0}
