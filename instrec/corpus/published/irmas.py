"""IRMAS: predominant instruments in polyphonic music; 3 s with one label to train on, 5 to 20 s with more to test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

LABELS = {
    "cel": "cello",
    "cla": "clarinet",
    "flu": "flute",
    "gac": "acoustic_guitar",
    "gel": "electric_guitar",
    "org": "organ",
    "pia": "piano",
    "sax": "saxophone",
    "tru": "trumpet",
    "vio": "violin",
    "voi": "voice",
}

_NUMBER = re.compile(r"-\d+$")


class _Irmas(MirdataCorpus):
    def sound(self, track: Any) -> Sound:
        # Training: `0189__2` is the second excerpt of recording 189. Testing: `Song-8.wav` is the eighth of a song.
        song = track.track_id.split("__")[0] if track.train else _NUMBER.sub("", Path(track.audio_path).stem)
        return Sound(Path(track.audio_path), tuple(track.instrument), f"{self.name}/{song}", track.split)


IRMAS = _Irmas(
    name="irmas",
    loader="irmas",
    title="IRMAS, instrument recognition in musical audio signals",
    license="CC BY-NC-SA 3.0, non-commercial use only",
    citation="Bosch, Janer, Fuhrmann, Herrera: A comparison of sound segregation techniques for predominant instrument "
    "recognition in musical audio signals. ISMIR 2012",
    url="https://zenodo.org/record/1290750",
    gigabytes=11,
    labels=LABELS,
    groups="the recording (training), the song (testing)",
    how="downloaded",
    notes="Training files have one label, the predominant instrument, and other instruments may sound. Test files "
    "have one or more labels. The number of the recording is in the file name: `0189__2` is the second excerpt of "
    "recording 189.",
    partitioned=True,
)
