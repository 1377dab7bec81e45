"""TinySOL: single notes of fourteen instruments in ordinary style, recorded at Ircam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

LABELS = {
    "Accordion": "accordion",
    "Alto Saxophone": "saxophone",
    "Bass Tuba": "tuba",
    "Bassoon": "bassoon",
    "Clarinet in Bb": "clarinet",
    "Clarinet in B-flat": "clarinet",
    "Contrabass": "double_bass",
    "Flute": "flute",
    "French Horn": "french_horn",
    "Oboe": "oboe",
    "Trombone": "trombone",
    "Trumpet in C": "trumpet",
    "Viola": "viola",
    "Violin": "violin",
    "Violoncello": "cello",
}


class _TinySOL(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        # One player per instrument: grouped by player, no class could be tested. Official folds stay whole.
        group = f"{self.name}/{track.instrument_full}/fold {track.split}"
        return Sound(Path(track.audio_path), (track.instrument_full,), group)


TINYSOL = _TinySOL(
    name="tinysol",
    loader="tinysol",
    title="TinySOL 6.0, single notes of fourteen instruments",
    license="CC BY 4.0",
    citation="Cella, Ghisi, Lostanlen, Lévy, Fineberg, Maresz: OrchideaSOL, a dataset of extended instrumental "
    "techniques for computer-aided orchestration. ICMC 2020",
    url="https://zenodo.org/record/3685367",
    gigabytes=1.5,
    labels=LABELS,
    groups="the official fold of an instrument; one player per instrument, so a test within the dataset is too easy",
    how="downloaded",
    notes="Some notes are pitch-shifted copies of others, and one player plays each instrument, so a test within the "
    "dataset is too easy. Published macro F1: .99 within the dataset, .39 trained on Philharmonia and tested on "
    "TinySOL, .14 in the other direction.",
)
