"""MedleyDB: songs as stems; METADATA.yaml of a song names the instrument of each stem."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instrec.corpus.index import Excluded
from instrec.corpus.published.base import Placed, Sound
from instrec.errors import UserError
from instrec.util import documents

LABELS = {
    "accordion": "accordion",
    "acoustic guitar": "acoustic_guitar",
    "alto saxophone": "saxophone",
    "baritone saxophone": "saxophone",
    "banjo": "banjo",
    "bassoon": "bassoon",
    "cello": "cello",
    "clarinet": "clarinet",
    "clean electric guitar": "electric_guitar",
    "distorted electric guitar": "electric_guitar",
    "double bass": "double_bass",
    "drum set": "drums",
    "electric bass": "electric_bass",
    "electronic organ": "organ",
    "english horn": "cor_anglais",
    "female rapper": "voice",
    "female singer": "voice",
    "flute": "flute",
    "french horn": "french_horn",
    "glockenspiel": "mallet_percussion",
    "harmonica": "harmonica",
    "harp": "harp",
    "male rapper": "voice",
    "male singer": "voice",
    "marimba": "mallet_percussion",
    "oboe": "oboe",
    "piano": "piano",
    "soprano saxophone": "saxophone",
    "synthesizer": "synthesizer",
    "tack piano": "piano",
    "tenor saxophone": "saxophone",
    "trombone": "trombone",
    "trumpet": "trumpet",
    "tuba": "tuba",
    "vibraphone": "mallet_percussion",
    "viola": "viola",
    "violin": "violin",
    "vocalists": "voice",
    "xylophone": "mallet_percussion",
}

_METADATA = "_METADATA.yaml"


class _MedleyDB(Placed):
    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        for file in sorted(folder.rglob(f"*{_METADATA}")):
            song = file.name.removesuffix(_METADATA)
            tree = _read(file)
            if tree is None:
                yield Excluded(file.as_posix(), "not a song's metadata; replace it")
            elif tree.get("has_bleed") in ("yes", True):
                # Other instruments sound in every stem, so its label would be incomplete.
                yield Excluded(file.parent.as_posix(), "stems bleed into each other")
            else:
                for stem in tree["stems"].values():
                    instrument = stem["instrument"]
                    labels = tuple(map(str, instrument if isinstance(instrument, list) else [instrument]))
                    yield Sound(_stems(file, tree) / stem["filename"], labels, f"{self.name}/{song}")

    def validate(self, folder: Path, *, workers: int = 0) -> tuple[list[Path], list[Path]]:
        """Return the stems that songs' metadata name and that are not there as missing."""
        missing, invalid = super().validate(folder, workers=workers)
        return missing + [path for path in invalid if not path.exists()], [path for path in invalid if path.exists()]


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with documents.expected(file, "replace it"):
            tree = documents.load_yaml(file)
            stems = [(stem["filename"], stem["instrument"]) for stem in tree["stems"].values()]
    except UserError:
        return None
    return tree if stems and all(isinstance(name, str) for name, _ in stems) else None


def _stems(file: Path, tree: dict[str, Any]) -> Path:
    return file.parent / str(tree.get("stem_dir", file.name.replace(_METADATA, "_STEMS")))


MEDLEYDB = _MedleyDB(
    name="medleydb",
    title="MedleyDB, songs as stems",
    license="CC BY-NC-SA 4.0, given out on request",
    citation="Bittner, Salamon, Tierney, Mauch, Cannam, Bello: MedleyDB, a multitrack dataset for annotation-intensive "
    "MIR research. ISMIR 2014",
    url="https://medleydb.weebly.com",
    gigabytes=43,
    labels=LABELS,
    groups="the song",
    how="ask for it and put the songs there: SONG/SONG_METADATA.yaml with SONG/SONG_STEMS/*.wav",
    notes="Only stems of songs without bleed are used, as other instruments sound in stems with bleed. A stem with "
    "several instruments is used if all of them are known. Silence is left out when clips are cut. Songs of MedleyDB "
    "2.0 can lie beside the others, as they have the same layout.",
)
