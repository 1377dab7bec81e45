"""Medley-solos-DB: 3 s of one instrument alone; its test part comes from other recordings than its training part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

LABELS = {
    "clarinet": "clarinet",
    "distorted electric guitar": "electric_guitar",
    "female singer": "voice",
    "flute": "flute",
    "piano": "piano",
    "tenor saxophone": "saxophone",
    "trumpet": "trumpet",
    "violin": "violin",
}

_SPLITS = {"training": "train", "validation": "valid", "test": "test"}


class _MedleySolosDB(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        group = f"{self.name}/{track.song_id}"
        return Sound(Path(track.audio_path), (track.instrument,), group, _SPLITS[track.subset])


MEDLEY_SOLOS_DB = _MedleySolosDB(
    name="medley_solos_db",
    loader="medley_solos_db",
    title="Medley-solos-DB 1.2, solo recordings across collections",
    license="CC BY 4.0",
    citation="Lostanlen, Cella: Deep convolutional networks on the pitch spiral for musical instrument recognition. "
    "ISMIR 2016",
    url="https://zenodo.org/record/3464194",
    gigabytes=6,
    labels=LABELS,
    groups="the song",
    how="downloaded",
    notes="The training and validation parts are cut from MedleyDB, and the test part from other recordings. If you "
    "train on MedleyDB, this test part shares no sound with training, but this training part repeats some songs.",
    partitioned=True,
)
