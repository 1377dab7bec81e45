"""Metrics with their bootstrap intervals (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def evaluate(
    measure: Callable[[Array | None], dict[str, Array]],
    *,
    clips: int,
    rounds: int,
    rng: np.random.Generator,
    files: NDArray[np.intp] | None = None,
) -> dict[str, Any]:
    """Return every metric with its bootstrap interval.

    Parameters
    ----------
    measure : `metrics.solo`, `metrics.mixtures` or `metrics.agreement`, with all arguments but `weights`.
    clips : number of clips.
    rounds : number of resamplings with replacement.
    rng : source of the draws; with equal seeds, two models are measured on the same resamplings.
    files : file of each clip [shape=(clips,)], if whole files are drawn; by default each clip is drawn by itself.

    Returns
    -------
    Flat dict: `clips`, every metric, and `intervals`: for each metric `[low, high]`, the 2.5 and 97.5 percentiles. With
    few clips, these may miss the metric; the interval is then widened to contain it.
    """
    drawn = np.arange(clips) if files is None else files
    units = int(drawn.max()) + 1
    equally = np.full(units, 1 / units)
    step = max(1, 2**22 // clips)  # rounds at a time, so that a set of any size fits in memory
    blocks = [
        measure(rng.multinomial(units, equally, size=min(step, rounds - start))[:, drawn])
        for start in range(0, rounds, step)
    ]
    values = {name: float(value) for name, value in measure(None).items()}
    intervals = {}
    for name, value in values.items():
        low, high = np.quantile(np.concatenate([block[name] for block in blocks]), (0.025, 0.975))
        intervals[name] = [min(float(low), value), max(float(high), value)]
    return {"clips": clips, **values, "intervals": intervals}
