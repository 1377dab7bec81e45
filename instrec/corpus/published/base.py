"""The contract of published datasets with the pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from instrec import taxonomy
from instrec.audio import decoding
from instrec.corpus.index import Entry, Excluded
from instrec.corpus.recordings import measured
from instrec.errors import UserError
from instrec.util.parallel import ordered_map
from instrec.util.progress import tqdm

TEST = "test"


@dataclass(frozen=True)
class Sound:
    """A file of a dataset, before it is decoded.

    Attributes
    ----------
    labels : what sounds in it, in the dataset's own words.
    unknown : classes of which the dataset does not say whether they sound; all others are absent.
    group : never in two splits; begins with the dataset's name.
    split : `train`, `valid` or `test` by the dataset's own partition; empty without one.
    """

    path: Path
    labels: tuple[str, ...]
    group: str
    split: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Corpus(ABC):
    """A published dataset.

    Attributes
    ----------
    name : in params.yaml, and its folder's name.
    title, license, citation, url : as published.
    gigabytes : disk space of what is unpacked, roughly; 0 where it depends on what the user places.
    labels : the dataset's labels -> our classes; files with any other label are left out.
    groups : what a group is.
    how : how to get it, and how its files must lie.
    notes : remarks on its labels.
    partitioned : whether the dataset has a test part of its own.
    checked : whether checksums of its files are published.
    """

    name: str
    title: str
    license: str
    citation: str
    url: str
    gigabytes: float
    labels: Mapping[str, str]
    groups: str
    how: str
    notes: str
    partitioned: bool = False
    checked: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it covers, in the order of the taxonomy."""
        return tuple(name for name in taxonomy.INSTRUMENTS if name in self.labels.values())

    @property
    def notice(self) -> str:
        """The text before a download."""
        size = f", about {self.gigabytes:g} GB on disk" if self.gigabytes else ""
        return f"{self.name}: {self.title}{size}\nLicense: {self.license}\nPlease cite: {self.citation}\n{self.url}"

    @abstractmethod
    def download(self, folder: Path) -> None:
        """Get the missing files.

        Raises
        ------
        UserError
            Naming dataset, address and folder: offline, or where it must be placed by hand.
        """

    @abstractmethod
    def validate(self, folder: Path, *, workers: int = 0) -> tuple[list[Path], list[Path]]:
        """Return the files that are missing, and those that are damaged."""

    @abstractmethod
    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        """Return every audio file, and what is left out whatever its label."""

    def entries(
        self, folder: Path, *, classes: tuple[str, ...], only_tests: bool = False, workers: int = 0
    ) -> Iterator[Entry | Excluded]:
        """Decode every file whose labels mean known classes, and return one entry per file.

        Parameters
        ----------
        classes : those of params.yaml, General MIDI programs included: these answer for the instruments they stand for.
        only_tests : return only the test part of the dataset, or all of it if it has no partition.

        Yields
        ------
        An entry for each usable file; for each other one, or for all left out for the same label, the reason.
        """
        fit: list[Entry] = []
        refused: Counter[str] = Counter()
        for sound in self.sounds(folder):
            if isinstance(sound, Excluded):
                yield sound
                continue
            if only_tests and not self.partitioned:
                sound = replace(sound, split=TEST)
            reason = self._refusal(sound, classes, only_tests)
            if reason:
                refused[reason] += 1
            else:
                labels = tuple(sorted({self.labels[label] for label in sound.labels}))
                unknown = tuple(name for name in sound.unknown if taxonomy.columns_of(name, classes))
                path = sound.path.as_posix()
                fit.append(Entry(self.name, path, 0.0, 0.0, labels, sound.group, sound.split, unknown))
        for reason, count in sorted(refused.items()):
            yield Excluded(folder.as_posix(), f"{count} files: {reason}")
        found = ordered_map(measured, fit, workers=workers)
        yield from tqdm(found, total=len(fit), desc=self.name, unit="file", disable=not fit)

    def _refusal(self, sound: Sound, classes: tuple[str, ...], only_tests: bool) -> str:
        """Return why a file cannot be used; empty when it can."""
        if only_tests and sound.split != TEST:
            return "not of the dataset's test part, and params.yaml names the dataset in sources.test alone"
        if not sound.labels:
            return "no instrument is named"
        for label in sorted(sound.labels):
            if label not in self.labels:
                return f"label {label!r} is no class"
            if not taxonomy.columns_of(self.labels[label], classes):
                return f"class {self.labels[label]} is not among `classes` in params.yaml"
        return ""


class Placed(Corpus):
    """A dataset that the user places: its terms ask for it, or no checksum of it is published."""

    def download(self, folder: Path) -> None:
        """See `Corpus.download`."""
        if not (folder.is_dir() and any(folder.iterdir())):
            raise UserError("dataset-missing", self.name, f"not in {folder}; {self.how} ({self.url})")

    def validate(self, folder: Path, *, workers: int = 0) -> tuple[list[Path], list[Path]]:
        """Return the folder as missing when it holds no sound, and the files that cannot be opened as damaged."""
        paths = [sound.path for sound in self.sounds(folder) if isinstance(sound, Sound)]
        opened = ordered_map(_opens, paths, workers=workers)
        return ([] if paths else [folder]), [path for path, good in zip(paths, opened, strict=True) if not good]


def _opens(path: Path) -> bool:
    try:
        decoding.load(path, 8000, seconds=0.1)
    except UserError:
        return False
    return True
