"""Datasets whose folders name the instrument, as in `recordings/`: notes of any library, and Jungle Vibe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from instrec import taxonomy
from instrec.audio import decoding
from instrec.corpus.index import Excluded, search
from instrec.corpus.published.base import Placed, Sound
from instrec.corpus.recordings import group_of

# As a folder may be named: `taxonomy.class_named` reads the others (`Double Bass`, `contrabass`).
LABELS = {name: name for name in taxonomy.INSTRUMENTS}


class _Folders(Placed):
    def group(self, path: Path, folder: Path) -> str:
        return f"{self.name}/{group_of(path, folder)}"

    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        files, excluded = search(folder, decoding.SUFFIXES)
        yield from excluded
        for path in files:
            label, *inner = path.relative_to(folder).parts
            if inner:
                yield Sound(path, (taxonomy.class_named(label) or label,), self.group(path, folder))
            else:
                yield Excluded(path.as_posix(), "lies in no instrument's folder; move it into one")


class _Notes(_Folders):
    def group(self, path: Path, folder: Path) -> str:
        label, *inner, _ = path.relative_to(folder).parts
        # `C4_forte` is not one song that several instruments play.
        return super().group(path, folder) if inner else f"{self.name}/{label}/{path.stem}"


NOTES = _Notes(
    name="notes",
    title="Single notes of any sample library",
    license="the library's own",
    citation="the library's own",
    url="any library of single notes",
    gigabytes=0,
    labels=LABELS,
    groups="a folder within the instrument's (the player); without one, each note",
    how="put notes there, a folder per instrument: violin/G3_forte.wav, or violin/PLAYER/G3_forte.wav",
    notes="This stands in for the commercial library of the thesis on seven instruments (`thesis_irv2`).",
)

JUNGLE_VIBE = _Folders(
    name="jungle_vibe",
    title="Jungle Vibe, solo recordings",
    license="the site's own terms",
    citation="Jungle Vibe",
    url="the site's collection; no archive of it is published",
    gigabytes=0,
    labels=LABELS,
    groups="a folder within the instrument's (the song or player); else the file name, less its final number",
    how="put recordings there, a folder per instrument: trumpet/SONG.mp3",
    notes="No checksums are published.",
)
