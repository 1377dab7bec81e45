"""Seed plus name decide every random draw, so neither the number of workers nor the order of work changes a byte."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Give the random generator that belongs to a seed and a name (a clip id, say, and what the draw is for)."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, *np.frombuffer(digest[:16], dtype="<u4").tolist()]))
