"""The table of effects: for each, the range of its values and the function that applies them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from instrec.params import NoiseParams
from instrec.synthesis.noise import backgrounds, effects

_SPEECH_SHARE = 0.4  # of backgrounds

Values = dict[str, Any]  # numbers, strings and lists of them: whatever JSON keeps exactly


@dataclass(frozen=True)
class Effect:
    """`draw` gives the values of `apply(y, sample_rate, **values)`, which returns as many samples."""

    draw: Callable[[np.random.Generator, NoiseParams, int], Values]
    apply: Callable[..., effects.FloatArray]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _draw_equalizer(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    top = min(9000.0, 0.45 * sample_rate)
    return {
        "bands": [
            [_log_uniform(rng, 60.0, top), float(rng.uniform(-12, 12)), _log_uniform(rng, 0.4, 2.5)]
            for _ in range(rng.integers(1, 5))
        ]
    }


def _draw_band_limit(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    """Small loudspeakers lose the bass, codecs and old recordings the treble, telephones both."""
    lost = rng.choice(["bass", "treble", "both"])
    return {
        "rolloff_db": 6 * int(rng.integers(2, 9)),
        "above_hz": _log_uniform(rng, 60.0, 400.0) if lost != "treble" else 0.0,
        "below_hz": _log_uniform(rng, 0.13 * sample_rate, 0.45 * sample_rate) if lost != "bass" else 0.0,
    }


def _draw_distortion(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    return {"kind": str(rng.choice(["soft", "hard"])), "drive_db": float(rng.uniform(3, 18))}


def _draw_waver(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    return {
        "seed": _seed(rng),
        "rate_hz": _log_uniform(rng, 0.3, 8.0),
        "depth_cents": _log_uniform(rng, 4.0, 60.0),
        "depth_db": float(rng.uniform(0, 6)),
    }


def _draw_breath(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    above_hz = _log_uniform(rng, 300.0, min(5000.0, 0.3 * sample_rate))
    return {"seed": _seed(rng), "under_db": float(rng.uniform(12, 45)), "above_hz": above_hz}


def _draw_compression(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    return {"ratio": float(rng.uniform(1.3, 5))}


def _draw_codec(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    # Beyond these, libsndfile's encoders refuse or leave half of the band out.
    kind, most = (("MP3", 0.8), ("OGG", 0.95))[rng.integers(2)]
    return {"kind": kind, "compression": float(rng.uniform(0.2, most))}


def _draw_background(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    hums = rng.random() < 0.25
    return {
        **_draw_level(rng, bounds),
        "color": str(backgrounds.SPEECH if rng.random() < _SPEECH_SHARE else rng.choice(list(backgrounds.EXPONENTS))),
        "hum_hz": float(rng.choice([50.0, 60.0])) if hums else 0.0,
        "hum_db": float(rng.uniform(-6, 12)) if hums else 0.0,
    }


def _draw_level(rng: np.random.Generator, bounds: NoiseParams) -> Values:
    return {
        "seed": _seed(rng),
        "snr_db": float(rng.uniform(bounds.min_snr_db, bounds.max_snr_db)),
        "silence_dbfs": float(rng.uniform(-60, -20)),
    }


def _room(*, rt60: tuple[float, float], direct_db: tuple[float, float]) -> Effect:
    def draw(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
        return {
            "seed": _seed(rng),
            "rt60_seconds": _log_uniform(rng, *rt60),
            "direct_db": float(rng.uniform(*direct_db)),
            "damping_hz": _log_uniform(rng, 0.09 * sample_rate, 0.4 * sample_rate),
        }

    return Effect(draw, effects.reverberate)


def _cut(side: str, low_hz: float, high_hz: float, rolloff_db: int) -> Effect:
    def draw(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
        top = 0.45 * sample_rate  # a low sample rate has no room for the whole range
        return {side: _log_uniform(rng, min(low_hz, top), min(high_hz, top)), "rolloff_db": rolloff_db}

    return Effect(draw, effects.limit_band)


def _draw_white_noise(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    return {**_draw_level(rng, bounds), "color": "white"}


def _draw_hiss(rng: np.random.Generator, bounds: NoiseParams, sample_rate: int) -> Values:
    below_hz = _log_uniform(rng, 0.09 * sample_rate, 0.25 * sample_rate)
    return {**_draw_level(rng, bounds), "color": "white", "below_hz": below_hz}


# The nine of sethi2018, which names them, but has values only for two high-passes. The other values are our own.
SETHI_EFFECTS: dict[str, Effect] = {
    "sethi_reverb": _room(rt60=(0.8, 1.5), direct_db=(-3.0, 3.0)),
    "sethi_subtle_reverb": _room(rt60=(0.15, 0.4), direct_db=(10.0, 18.0)),
    "sethi_manytrees": _cut("below_hz", 400.0, 1000.0, 24),
    "sethi_tree": _cut("below_hz", 2000.0, 4000.0, 12),
    "sethi_highpass_random": _cut("above_hz", 50.0, 4000.0, 24),
    "sethi_highpass_800_2000": _cut("above_hz", 800.0, 2000.0, 24),
    "sethi_highpass_above_2000": _cut("above_hz", 2000.0, 4000.0, 24),
    "sethi_hiss": Effect(_draw_hiss, effects.add_background),
    "sethi_white_noise": Effect(_draw_white_noise, effects.add_background),
}

EFFECTS: dict[str, Effect] = {
    "reverb": _room(rt60=(0.1, 1.5), direct_db=(-3.0, 18.0)),
    "equalizer": Effect(_draw_equalizer, effects.equalize),
    "background": Effect(_draw_background, effects.add_background),
    "band_limit": Effect(_draw_band_limit, effects.limit_band),
    "distortion": Effect(_draw_distortion, effects.distort),
    "waver": Effect(_draw_waver, effects.waver),
    "breath": Effect(_draw_breath, effects.breathe),
    "compression": Effect(_draw_compression, effects.compress),
    "codec": Effect(_draw_codec, effects.encode),
    **SETHI_EFFECTS,
}
