"""Clips and parameters that the tests of the representations share."""

from dataclasses import replace

import numpy as np

from instrec.audio import separation
from instrec.params import ClipParams, SpectrogramParams

CLIP = ClipParams(sample_rate=22050, seconds=0.3)
SPECTROGRAM = SpectrogramParams(
    name="log_mel",
    part="whole",
    scale="decibels",
    window=1024,
    hop=256,
    mels=64,
    min_hz=30.0,
    max_hz=11025.0,
    floor_db=80.0,
    frames=0,
    pixels=40,
)
PAIRS = ("harmonic_percussive", "solo_accompaniment")
PAIRS_OF_FILE = tuple(f"{pair}_of_file" for pair in PAIRS)
PARTS = ("whole", "harmonic", "percussive", "solo", "accompaniment", *PAIRS, *PAIRS_OF_FILE)
SCALES = ("decibels", "log")

# Every name with every part that it can show.
KINDS = [
    replace(SPECTROGRAM, name=name, part=part)
    for name, parts in (
        ("log_mel", PARTS),
        ("multi_resolution", PARTS),
        ("image", PARTS[:5]),
        ("phase_image", PARTS[:1]),
        ("audioset_mel", PARTS),
        ("waveform", PARTS[:1]),
    )
    for part in parts
]


def sine(hertz, samples=CLIP.samples, rate=CLIP.sample_rate):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype(np.float32)


def fitted(y, representation):
    """A sound as a representation takes it: if its clips are pairs, both parts of the sound [shape=(samples, 2)]."""
    pair = len(representation.sound) > 1
    return separation.of_file(y, CLIP.sample_rate, "harmonic_percussive") if pair else y


def music(samples=CLIP.samples, seed=0):
    """Two decaying harmonic notes over faint noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / CLIP.sample_rate
    notes = [
        np.sin(2 * np.pi * f * k * t) * np.exp(-3 * k * t) / k for f in rng.uniform(80, 800, 2) for k in range(1, 8)
    ]
    return (0.2 * np.sum(notes, axis=0) + 1e-3 * rng.standard_normal(samples)).astype(np.float32)
