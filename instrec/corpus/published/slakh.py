"""Slakh2100: songs of the Lakh MIDI dataset, rendered by sampled instruments; its stems are one instrument each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instrec.corpus.index import Excluded
from instrec.corpus.published.base import Sound
from instrec.corpus.published.mirdata_loader import MirdataCorpus

# Names of General MIDI programs. Slakh renders each by any patch of one of 34 kinds. What shares a kind with other
# instruments is left out: flute (pipes), mallets (with dulcimer and celesta), accordion and harmonica (organs).
LABELS = {
    "Acoustic Bass": "double_bass",
    "Acoustic Grand Piano": "piano",
    "Acoustic Guitar (nylon)": "acoustic_guitar",
    "Acoustic Guitar (steel)": "acoustic_guitar",
    "Alto Sax": "saxophone",
    "Baritone Sax": "saxophone",
    "Bassoon": "bassoon",
    "Bright Acoustic Piano": "piano",
    "Cello": "cello",
    "Choir Aahs": "voice",
    "Church Organ": "organ",
    "Clarinet": "clarinet",
    "Contrabass": "double_bass",
    "Distortion Guitar": "electric_guitar",
    "Drawbar Organ": "organ",
    "Drums": "drums",
    "Electric Bass (finger)": "electric_bass",
    "Electric Bass (pick)": "electric_bass",
    "Electric Guitar (clean)": "electric_guitar",
    "Electric Guitar (jazz)": "electric_guitar",
    "Electric Guitar (muted)": "electric_guitar",
    "English Horn": "cor_anglais",
    "French Horn": "french_horn",
    "Fretless Bass": "electric_bass",
    "Lead 1 (square)": "synthesizer",
    "Lead 2 (sawtooth)": "synthesizer",
    "Oboe": "oboe",
    "Orchestral Harp": "harp",
    "Overdriven Guitar": "electric_guitar",
    "Percussive Organ": "organ",
    "Rock Organ": "organ",
    "Slap Bass 1": "electric_bass",
    "Slap Bass 2": "electric_bass",
    "Soprano Sax": "saxophone",
    "Tenor Sax": "saxophone",
    "Trombone": "trombone",
    "Trumpet": "trumpet",
    "Tuba": "tuba",
    "Viola": "viola",
    "Violin": "violin",
    "Voice Oohs": "voice",
}

_SPLITS = {"train": "train", "validation": "valid", "test": "test"}


class _Slakh(MirdataCorpus):
    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        repeated = 0
        for track in self.tracks(folder):
            if track.split not in _SPLITS:
                repeated += 1
            elif track.audio_path:  # some programs are not rendered
                yield self.sound(track)
        if repeated:
            yield Excluded(folder.as_posix(), f"{repeated} files: of songs that the dataset holds twice")

    def sound(self, track: Any) -> Sound:
        label = "Drums" if track.is_drum else track.midi_program_name
        return Sound(Path(track.audio_path), (label,), f"{self.name}/{track.mtrack_id}", _SPLITS[track.split])


SLAKH = _Slakh(
    name="slakh",
    loader="slakh",
    title="Slakh2100-redux, songs of the Lakh MIDI dataset as rendered stems",
    license="CC BY 4.0",
    citation="Manilow, Wichern, Seetharaman, Le Roux: Cutting Music Source Separation Some Slakh: A Dataset to Study "
    "the Impact of Training Data Quality and Quantity. WASPAA 2019",
    url="https://zenodo.org/record/4599666",
    gigabytes=105,
    labels=LABELS,
    groups="the song",
    how="downloaded",
    notes="Sampled instruments play the stems. The mixes are not used, as instruments pause in them. Silence is left "
    "out when clips are cut. A label is the General MIDI program. Slakh plays it by any patch of its kind, so programs "
    "whose kind has several instruments are left out, for example flutes and mallets. Voices are choirs. Songs that "
    "the dataset holds twice (its part `omitted`) are left out.",
    partitioned=True,
)
