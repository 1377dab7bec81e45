"""Noise: drawn first, as plain recordable values, then applied deterministically."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from instrec.errors import conflict
from instrec.params import NoiseParams
from instrec.synthesis.noise.effects import FloatArray
from instrec.synthesis.noise.table import EFFECTS, SETHI_EFFECTS

ORDER = tuple(
    field.name.removesuffix("_probability") for field in fields(NoiseParams) if field.name.endswith("_probability")
)
"""What is drawn independently: effects, and `sethi` for one of `SETHI_EFFECTS`."""


Noise = list[dict[str, Any]]
"""The effects on a clip, in this order: under `effect` a name in `EFFECTS`, beside it the values drawn for it."""


def draw(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int, *, alone: bool = False) -> Noise:
    """Draw the effects of a noisy clip, and their values.

    Each effect is drawn independently with its own probability, in the order in which sound meets it: player, room,
    background, microphone, overload, mixing desk, file; then one of Sethi's nine. If none is drawn, one is chosen in
    proportion to the probabilities, so that noisy means noisy. Only if all probabilities are zero is there none. Noise
    that is `alone`, without a sound to change, has a background, unless its probability is zero.

    Raises
    ------
    UserError
        If the bounds contradict each other.
    """
    if bounds.min_snr_db > bounds.max_snr_db:
        raise conflict("noise.min_snr_db", f"{bounds.min_snr_db:g} is above max_snr_db, {bounds.max_snr_db:g}")
    chances = np.array([getattr(bounds, f"{name}_probability") for name in ORDER])
    chosen = rng.random(len(chances)) < chances
    if not chosen.any() and chances.any():
        chosen[rng.choice(len(chances), p=chances / chances.sum())] = True
    chosen[ORDER.index("background")] |= alone and bounds.background_probability > 0
    names = [_effect(name, rng) for name, is_chosen in zip(ORDER, chosen, strict=True) if is_chosen]
    return [{"effect": name, **EFFECTS[name].draw(rng, bounds, sample_rate)} for name in names]


def _effect(name: str, rng: np.random.Generator) -> str:
    return list(SETHI_EFFECTS)[rng.integers(len(SETHI_EFFECTS))] if name == "sethi" else name


def apply(y: FloatArray, noise: Noise, sample_rate: int) -> FloatArray:
    """Apply noise to a clip; the same clip and noise give the same bytes.

    Parameters
    ----------
    y : np.ndarray [shape=(samples,)], at least one sample; silence is fine.
    noise : from `draw`.
    sample_rate : of y, in Hz.

    Returns
    -------
    np.ndarray [shape=(samples,)], float32, scaled down where its peak would pass 1.
    """
    y = np.asarray(y, dtype=np.float32)
    for step in noise:
        values = {name: value for name, value in step.items() if name != "effect"}
        y = EFFECTS[step["effect"]].apply(y, sample_rate, **values).astype(np.float32, copy=False)
    peak = np.abs(y).max()
    return y / peak if peak > 1 else y


def checked(noise: Noise) -> Noise:
    """Return noise that was read.

    Raises
    ------
    ValueError
        If an effect does not exist.
    """
    for step in noise:
        if step["effect"] not in EFFECTS:
            raise ValueError(f"unknown effect {step['effect']!r}; known: {', '.join(EFFECTS)}")
    return noise
