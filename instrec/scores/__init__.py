"""Compose scores, as `pretty_midi.PrettyMIDI`, in one of several styles."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from instrec.scores import notes, uniform
from instrec.scores.idiomatic import compose
from instrec.scores.library import pretty_midi

__all__ = ["STYLES", "compose"]

STYLES: dict[str, Callable[[np.random.Generator, tuple[str, ...], float], pretty_midi.PrettyMIDI]] = {
    "idiomatic": compose,
    "ensemble": functools.partial(compose, together=True),
    "uniform": uniform.compose,
    "notes": notes.compose,
}
"""`scores.style` of params.yaml -> composer of a score of some seconds, with one track per class."""
