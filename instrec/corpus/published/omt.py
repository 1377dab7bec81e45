"""Open Multitrack Testbed: songs as stems, whose file names tell the instrument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instrec.audio import decoding
from instrec.corpus.index import Excluded, search
from instrec.corpus.published.base import Placed, Sound

# Words of stems' names, tried in this order: `Bass Drum` is a drum, `Electric Guitar Solo` an electric guitar.
# `bass` and `guitar` alone are the electric bass and no class: a guitar may be either.
LABELS = {
    "kick": "drums",
    "snare": "drums",
    "hihat": "drums",
    "tom": "drums",
    "toms": "drums",
    "cymbal": "drums",
    "cymbals": "drums",
    "overhead": "drums",
    "overheads": "drums",
    "drum": "drums",
    "drums": "drums",
    "double bass": "double_bass",
    "upright bass": "double_bass",
    "bass": "electric_bass",
    "electric guitar": "electric_guitar",
    "elec gtr": "electric_guitar",
    "acoustic guitar": "acoustic_guitar",
    "ac gtr": "acoustic_guitar",
    "piano": "piano",
    "organ": "organ",
    "hammond": "organ",
    "violin": "violin",
    "viola": "viola",
    "cello": "cello",
    "flute": "flute",
    "oboe": "oboe",
    "clarinet": "clarinet",
    "bassoon": "bassoon",
    "sax": "saxophone",
    "saxophone": "saxophone",
    "trumpet": "trumpet",
    "trombone": "trombone",
    "tuba": "tuba",
    "french horn": "french_horn",
    "vocal": "voice",
    "vocals": "voice",
    "vox": "voice",
    "voice": "voice",
}


def label_of(stem: str) -> str:
    """Return the first of the words above that a stem's name holds; without one, the name's own words."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    words = " ".join(re.findall("[a-z]+", spaced.lower()))
    return next((word for word in LABELS if f" {word} " in f" {words} "), words)


class _OMT(Placed):
    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        files, excluded = search(folder, decoding.SUFFIXES)
        yield from excluded
        for path in files:
            song, *inner = path.relative_to(folder).parts
            if inner:
                yield Sound(path, (label_of(path.stem),), f"{self.name}/{song}")
            else:
                yield Excluded(path.as_posix(), "lies in no song's folder; move it into one")


OMT = _OMT(
    name="omt",
    title="Open Multitrack Testbed, songs as stems",
    license="each song's own, mostly Creative Commons",
    citation="De Man, Mora-Mcginity, Fazekas, Reiss: The Open Multitrack Testbed. AES Convention 137, 2014",
    url="http://multitrack.eecs.qmul.ac.uk",
    gigabytes=0,
    labels=LABELS,
    groups="the song",
    how="download songs and put each there in a folder of its own: SONG/Kick.wav, SONG/Bass.wav, SONG/Lead Vocal.wav",
    notes="The label of a stem is a word below that its file name has; `ElecGtr1` and `Elec Gtr` are the same. "
    "Drums and longer labels come first: `Bass Drum` is a drum, `Upright Bass` a double bass. Stems with none of these "
    "words (`Guitar`, `Synth`, `Strings`) are left out.",
)
