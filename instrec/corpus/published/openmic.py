"""OpenMIC-2018: 10 s of music from the Free Music Archive; listeners labeled some instruments of each excerpt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

# `bass` and `guitar` do not tell electric from acoustic: they stand for no class of ours.
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

_PRESENT = 0.5  # of the listeners' agreement: below it, an instrument probably does not sound


class _OpenMIC(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        labels = tuple(name for name, agreement in track.instruments.items() if agreement >= _PRESENT)
        split = track.split.rpartition("_")[2]  # `split01_train`, or empty
        return Sound(Path(track.audio_path), labels, f"{self.name}/{track.artist}", split)


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
    "their agreement is at least 0.5. An instrument that nobody was asked about counts as absent, though it may "
    "sound. Excerpts with a sound of no class are left out (`bass`, `guitar`, `mandolin`, "
    "`ukulele`): `bass` and `guitar` may be electric or acoustic.",
    partitioned=True,
)
