"""Philharmonia Orchestra sound samples: single notes, the file's name telling what sounds.

`violin_A4_1_fortissimo_arco-normal.mp3`: instrument, pitch, length in seconds, dynamic, articulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from instrec.corpus.index import Excluded, search
from instrec.corpus.published.base import Placed, Sound

LABELS = {
    "banjo": "banjo",
    "bassoon": "bassoon",
    "cello": "cello",
    "clarinet": "clarinet",
    "cor-anglais": "cor_anglais",
    "double-bass": "double_bass",
    "english-horn": "cor_anglais",
    "flute": "flute",
    "french-horn": "french_horn",
    "guitar": "acoustic_guitar",
    "oboe": "oboe",
    "saxophone": "saxophone",
    "trombone": "trombone",
    "trumpet": "trumpet",
    "tuba": "tuba",
    "viola": "viola",
    "violin": "violin",
}


class _Philharmonia(Placed):
    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        files, excluded = search(folder, {".mp3"})
        yield from excluded
        for path in files:
            parts = path.stem.split("_")
            if len(parts) == 5:
                instrument, pitch, *_ = parts
                # One player per instrument: grouped by player, no class could be tested. Lengths and dynamics of one
                # pitch are near-copies of each other, so they stay together.
                yield Sound(path, (instrument,), f"{self.name}/{instrument}/{pitch or path.stem}")
            else:
                yield Excluded(path.as_posix(), "name is not instrument_pitch_length_dynamic_articulation.mp3")


PHILHARMONIA = _Philharmonia(
    name="philharmonia",
    title="Philharmonia Orchestra sound samples, single notes",
    license="free to use, also commercially, but not to be sold or made available as samples (the site's own terms)",
    citation="Philharmonia Orchestra: Sound samples",
    url="https://philharmonia.co.uk/resources/sound-samples",
    gigabytes=0.3,
    labels=LABELS,
    groups="the pitch of an instrument; one player per instrument, so a test within the dataset is too easy",
    how="download the archives, for which no checksum is published, and unpack them there: any folders of "
    "instrument_pitch_length_dynamic_articulation.mp3",
    notes="The label is in each file name, so any folders will do. Percussion, `mandolin`, `bass-clarinet` "
    "and `contrabassoon` have no class. One published file (`viola_D6_05_piano_arco-normal.mp3`) is empty and is "
    "left out.",
)
