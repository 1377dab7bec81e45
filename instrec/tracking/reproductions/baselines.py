"""What is reached without a model, on the same test clips and by the same protocols.

- Chance: every probability, of classes and of their number, is drawn at random.
- Majority: whatever the clip, the classes are as probable as they are frequent, and their number is the most frequent.

Both are means over draws: of chance itself; of majority, which of equally frequent classes comes first.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instrec.corpus import balance, test_sets
from instrec.evaluation import metrics, protocols
from instrec.params import Params
from instrec.util.nested import flat
from instrec.util.seeding import generator

Array = NDArray[Any]
Scores = Callable[[np.random.Generator, Array, Array], tuple[Array, Array]]
"""Of the labels of a test and of labels to learn from [shape=(clips, classes)]: presence, like the first, and count
[shape=(clips, counts)]."""

DRAWS = {"solo": 1000, "composed": 1000, "excerpts": 100, "mixtures": 100}  # by kind of test: the first are drawn fast
COUNTS = 4  # none to three instruments (Sethi 2018)


def chance(rng: np.random.Generator, labels: Array, _: Array) -> tuple[Array, Array]:
    """Return random probabilities."""
    return rng.random(labels.shape), rng.random((len(labels), COUNTS))


def majority(rng: np.random.Generator, labels: Array, learned: Array) -> tuple[Array, Array]:
    """Return the same for every clip: frequencies of the classes, the most frequent number, of equals the highest."""
    frequency = learned.mean(axis=0) + 1e-9 * rng.random(learned.shape[1])
    numbers = np.bincount(np.minimum(learned.sum(axis=1), COUNTS - 1), minlength=COUNTS)
    number = np.flatnonzero(numbers == numbers.max())[-1]
    return np.tile(frequency, (len(labels), 1)), np.tile(np.eye(COUNTS)[number], (len(labels), 1))


BASELINES: dict[str, tuple[str, Scores]] = {
    "chance": ("probabilities drawn at random", chance),
    "majority": ("always the most frequent classes", majority),
}


@functools.cache
def expected(params: Params, data: Path, name: str) -> dict[str, float]:
    """Return what a baseline reaches, by the paths of test.json as far as they are compared.

    Parameters
    ----------
    params : of the recipe whose tests are meant.
    data : folder of the frozen test scores.
    name : in `BASELINES`.

    Raises
    ------
    UserError
        If the frozen scores are not there.
    """
    scores = BASELINES[name][1]
    # Of programs, frozen scores ask about instruments alone.
    asked = test_sets.target_classes(params.classes)
    measures = {"solo": _solo(_frozen(data, asked, test_sets.SOLO), ("seen_clean", "unseen_clean"))}
    if params.balance.composed_per_class:
        measures["composed"] = _solo(_composed(params, test_sets.SOLO), test_sets.COMPOSED)
    if params.task == "multilabel":
        measures["excerpts"] = _excerpts(_frozen(data, asked, test_sets.EXCERPT), params.seed)
    if params.balance.composed_mixtures:
        # All classes are equally probable. Only by accident, some are more frequent, and in other scores, others.
        measures["mixtures"] = _mixtures(
            *(_composed(replace(params, seed=params.seed + other), test_sets.MIXTURE) for other in (0, 1))
        )
    values: dict[str, list[float]] = {}
    for kind, measure in measures.items():
        rng = generator(params.seed, "baseline", name, kind)
        for _ in range(DRAWS[kind]):
            for metric, value in flat(measure(scores, rng)):
                values.setdefault(metric, []).append(float(value))
    return {metric: statistics.fmean(drawn) for metric, drawn in values.items()}


Measure = Callable[[Scores, np.random.Generator], dict[str, Any]]


def _solo(labels: Array, sets: Iterable[str]) -> Measure:
    def measure(scores: Scores, rng: np.random.Generator) -> dict[str, Any]:
        values = {"solo": metrics.solo(labels, scores(rng, labels, labels)[0])}
        return dict.fromkeys(sets, values)

    return measure


def _excerpts(labels: Array, seed: int) -> Measure:
    songs = [str(number) for number in range(len(labels))]

    def measure(scores: Scores, rng: np.random.Generator) -> dict[str, Any]:
        presence, _ = scores(rng, labels, labels)
        aggregated = {"s1": presence, "s2": protocols.relative(presence)}
        readings = protocols.readings(labels, aggregated, protocols.development_half(labels, songs, seed))
        values = {each.name: metrics.agreement(each.labels, each.decisions) for each in readings}
        return {"unseen_excerpts": {"excerpts": values}}

    return measure


def _mixtures(labels: Array, learned: Array) -> Measure:
    def measure(scores: Scores, rng: np.random.Generator) -> dict[str, Any]:
        values = {"mixtures": metrics.counted(labels, *scores(rng, labels, learned))}
        return dict.fromkeys(test_sets.COMPOSED, values)

    return measure


def _frozen(data: Path, classes: tuple[str, ...], kind: str) -> Array:
    return _labels([labels for _, labels in test_sets.score_files(data, classes, (kind,))], classes)


def _composed(params: Params, kind: str) -> Array:
    clips = balance.composed_scores(params)
    return _labels([clip.labels for clip in clips if f"/{kind}/" in clip.id], params.classes)


def _labels(labeled: Sequence[tuple[str, ...]], classes: tuple[str, ...]) -> Array:
    """Return labels as 0 or 1 [shape=(clips, classes)]."""
    return np.array([[name in labels for name in classes] for labels in labeled], np.uint8)
