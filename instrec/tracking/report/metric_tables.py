"""The metrics of each test set, laid out for the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from instrec.corpus import test_sets
from instrec.corpus.manifest import NOISY
from instrec.tracking.gate.comparison import direction_of
from instrec.tracking.summary import METRICS
from instrec.util import documents

HEADLINES = ("top1", "micro_f1", "macro_f1", "exact_set", "lrap", "count_accuracy")
"""What is shown at once; other metrics are folded."""


@dataclass(frozen=True)
class Metric:
    """A metric's title, its value, the limits of its 95 % interval, and whether it is a share, 0..1."""

    title: str
    value: float
    low: float
    high: float
    share: bool


@dataclass(frozen=True)
class Kind:
    """One kind of files of a test set: `solo`, `mixtures`, `excerpts`, or excerpts by a protocol."""

    name: str
    clips: int
    headlines: tuple[Metric, ...]
    others: tuple[Metric, ...]


@dataclass(frozen=True)
class TestSet:
    """A test set, what it is, and its kinds of files; those by a protocol are `protocols`."""

    name: str
    description: str
    kinds: tuple[Kind, ...]
    protocols: tuple[Kind, ...]


def read() -> list[TestSet]:
    """Read `metrics/test.json`.

    Raises
    ------
    UserError
        If it is missing or damaged.
    """
    with documents.expected(METRICS, "run `dvc repro`"):
        tree = documents.load_json(METRICS, remedy="run `dvc repro`")
        if not tree:
            raise ValueError("no test set")
        return [_test_set(name, parts) for name, parts in tree.items()]


def title(metric: str) -> str:
    """Return the display name of a metric."""
    words = {"top1": "top-1", "f1": "F1", "lrap": "LRAP", "loss": "loss (less is better)"}
    return " ".join(words.get(word, word) for word in metric.split("_"))


def _test_set(name: str, parts: Mapping[str, Any]) -> TestSet:
    kinds = tuple(_kind(kind, figures) for kind, figures in parts.items())
    protocols = tuple(_kind(*each) for figures in parts.values() for each in _protocols(figures))
    return TestSet(name, _description(name), kinds, protocols)


def _kind(name: str, figures: Mapping[str, Any]) -> Kind:
    shown = [_metric(metric, figures) for metric in HEADLINES if metric in figures]
    others = [_metric(metric, figures) for metric in figures["intervals"] if metric not in HEADLINES]
    return Kind(name, int(figures["clips"]), tuple(shown), tuple(others))


def _metric(name: str, figures: Mapping[str, Any]) -> Metric:
    low, high = figures["intervals"][name]
    return Metric(title(name), float(figures[name]), float(low), float(high), direction_of(name) == "higher")


def _protocols(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, value in figures.items():
        if isinstance(value, Mapping) and "clips" in value:
            yield name, value


def _description(name: str) -> str:
    for each in (*test_sets.TEST_SETS, *test_sets.COMPOSED.values()):
        if each.name == name:
            scores = "new" if name in test_sets.COMPOSED else "frozen"
            font = "a SoundFont that training does not use" if each.unseen else "the SoundFonts of training"
            return f"{scores} scores, {font}, {'noisy' if each.noise == NOISY else 'clean'}"
    return "recordings"
