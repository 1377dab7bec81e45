"""Clips that balance makes of files of noise and of frozen scores, and how they are counted."""

from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import HealthCheck, settings

from instrec.corpus import balance
from instrec.corpus.index import RECORDINGS, Entry
from instrec.corpus.soundfont_programs import Held

CLASSES = ("violin", "flute", "piano", "drums")


RATE = 22050


ALL = Held(frozenset(range(128)), frozenset({0}))


def held(params, **others: Held) -> dict[str, Held]:
    """SoundFonts that hold all programs and a kit, but for `others`, named without their endings."""
    return dict.fromkeys(params.soundfonts.all, ALL) | {f"{name}.sf2": own for name, own in others.items()}


def make(params, entries, data, **others: Held):
    return balance.make(params, entries, data, held(params, **others))


def recording(folder: Path, label: str, group: str, number: int = 0, *, seconds: float = 1.0, level=0.1) -> Entry:
    """A file of noise in the class's folder."""
    path = folder / label / f"{group}-{number}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.random.default_rng(number).uniform(-1, 1, round(seconds * RATE)), RATE)
    return Entry(RECORDINGS, path.as_posix(), 0.0, seconds, (label,), group)


many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_quotas(params, clips) -> None:
    bounds = params.balance
    for split, solos, mixtures in (
        ("train", bounds.train_per_class, bounds.train_mixtures),
        ("valid", bounds.valid_per_class, bounds.valid_mixtures),
    ):
        counted = Counter(clip.labels if len(clip.labels) == 1 else "mixture" for clip in clips if clip.split == split)
        assert counted == {(name,): solos for name in params.classes} | {"mixture": mixtures}
