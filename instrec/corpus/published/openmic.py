"""OpenMIC-2018: 10 s of music from the Free Music Archive; listeners labeled some instruments of each excerpt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus
from instrec.taxonomy import CLASS_OF_PROGRAM, INSTRUMENTS, PROGRAMS

LABELS = {
    "accordion": "accordion",
    "banjo": "banjo",
    "cello": "cello",
    "clarinet": "clarinet",
    "cymbals": "drums",
    "drums": "drums",
    "flute": "flute",
    "mallet_percussion": "mallet_percussion",
    "organ": "organ",
    "piano": "piano",
    "saxophone": "saxophone",
    "synthesizer": "synthesizer",
    "trombone": "trombone",
    "trumpet": "trumpet",
    "violin": "violin",
    "voice": "voice",
}

# These do not tell electric from acoustic.
_EITHER = {"bass": ("double_bass", "electric_bass"), "guitar": ("acoustic_guitar", "electric_guitar")}
_MEANT = {label: (name,) for label, name in LABELS.items()} | _EITHER

# All that a model may tell apart, once: programs that stand for no instrument are classes of their own.
_CLASSES = (*INSTRUMENTS, *(name for number, name in enumerate(PROGRAMS) if number not in CLASS_OF_PROGRAM))

_PRESENT = 0.5  # of the listeners' agreement: below it, an instrument probably does not sound


class _OpenMIC(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        asked: dict[str, float] = track.instruments
        labels = tuple(label for label in asked if asked[label] >= _PRESENT and label not in _EITHER)
        # A class is absent if all labels that may mean it were denied.
        perhaps = {name for label in _MEANT if asked.get(label, _PRESENT) >= _PRESENT for name in _MEANT[label]}
        absent = {name for names in _MEANT.values() for name in names} - perhaps
        known = absent | {LABELS.get(label) for label in labels}
        split = track.split.rpartition("_")[2]  # `split01_train`, or empty
        unknown = tuple(name for name in _CLASSES if name not in known)
        return Sound(Path(track.audio_path), labels, f"{self.name}/{track.artist}", split, unknown)


OPENMIC = _OpenMIC(
    name="openmic",
    loader="openmic2018",
    strip="openmic-2018",
    title="OpenMIC-2018, multiple instruments in polyphonic music, partly labeled",
    license="CC BY 4.0 (each excerpt: a Creative Commons license of its own)",
    citation="Humphrey, Durand, McFee: OpenMIC-2018, an open data-set for multiple instrument recognition. ISMIR 2018",
    url="https://zenodo.org/record/1432913",
    gigabytes=3,
    labels=LABELS,
    groups="the artist",
    how="downloaded",
    notes="Labels are partial: listeners were asked about a few instruments per excerpt. An instrument is present if "
    "their agreement is at least 0.5, and absent if it is less. An instrument that nobody was asked about is unknown: "
    "it counts neither in training nor in metrics. Where `bass` or `guitar` is present, the electric and the acoustic "
    "one are unknown; where it is absent, both are. Drums are absent where both `cymbals` and `drums` are. Excerpts "
    "with `mandolin` or `ukulele`, or with no label that stands for a class, are left out. As other instruments may "
    "sound, every excerpt is a mixture in training. Mixtures of datasets come first in `balance.train_mixtures`: raise "
    "it, so that a model still learns to count from synthesized ones.",
    partitioned=True,
)
