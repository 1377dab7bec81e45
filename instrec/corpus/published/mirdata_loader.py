"""Datasets that mirdata knows: its loader, its index of files with checksums, its addresses."""

from __future__ import annotations

import importlib
import logging
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instrec.corpus.index import Excluded
from instrec.corpus.published import downloads, unpacking
from instrec.corpus.published.base import Corpus, Sound
from instrec.util import documents
from instrec.util.parallel import ordered_map

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Attributes
    ----------
    folder : where it, or what is in it, belongs, within the dataset's folder.
    """

    filename: str
    url: str
    md5: str
    folder: str = ""

    @property
    def packed(self) -> bool:
        return self.filename.endswith((".zip", ".tgz", ".tar.gz"))


@dataclass(frozen=True, kw_only=True)
class MirdataCorpus(Corpus):
    """A dataset of mirdata, whose own downloader cannot resume; so ours fetches the files that it names.

    Attributes
    ----------
    loader : mirdata's module.
    strip : top folder of the archives that mirdata does not expect.
    remotes : the index first, then the data; mirdata's own when empty. Another server's copies are given here.
    """

    loader: str
    strip: str = ""
    remotes: tuple[Remote, ...] = ()
    checked: bool = True

    @abstractmethod
    def sound(self, track: Any) -> Sound:
        """Read one of mirdata's tracks."""

    def files(self) -> tuple[Remote, ...]:
        """Return what is downloaded, the index first."""
        if self.remotes:
            return self.remotes
        module = self._module()
        default = module.INDEXES[module.INDEXES["default"]]
        index = default.remote
        found = [Remote(index.filename, index.url, index.checksum)]  # mirdata would put it among its own code
        found += [
            Remote(each.filename, each.url, each.checksum, (each.destination_dir or "").removeprefix("."))
            for name, each in module.REMOTES.items()
            if name in (default.partial_download or module.REMOTES)  # others belong to other versions
        ]
        return tuple(found)

    def download(self, folder: Path) -> None:
        """Fetch, check and unpack what is not there; archives that the user put into the folder are taken, and kept."""
        files = self.files()
        if not all(self._is_here(remote, folder) for remote in files):
            for line in self.notice.splitlines():
                _log.info(line)
        for remote in (each for each in files if not each.packed):
            downloads.fetch(
                remote.url,
                folder / remote.folder / remote.filename,
                remote.md5,
                corpus=self.name,
                largest=self._largest,
            )
        expected = self._indexed(folder)
        unpacked_by_hand = all((folder / name).exists() for name in expected)
        for remote in (each for each in files if each.packed and not self._is_here(each, folder)):
            if not unpacked_by_hand:
                self._unpack(remote, folder, expected)
            mark = _mark(remote, folder)
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(f"{remote.md5}\n")

    def validate(self, folder: Path, *, workers: int = 0) -> tuple[list[Path], list[Path]]:
        """Check every file of mirdata's index by its checksum."""
        index = folder / self.files()[0].filename
        if not index.exists():
            return [index], []
        files = [(folder / name, md5) for name, md5 in self._indexed(folder).items()]
        found = list(zip(files, ordered_map(_check, files, workers=workers), strict=True))
        missing = [path for (path, _), (exists, _) in found if not exists]
        return missing, [path for (path, _), (exists, valid) in found if exists and not valid]

    def tracks(self, folder: Path) -> Iterator[Any]:
        """Return mirdata's tracks."""
        dataset = self._module().Dataset(data_home=str(folder))
        dataset.index_path = str(folder / self.files()[0].filename)
        return (dataset.track(name) for name in dataset.track_ids)

    def sounds(self, folder: Path) -> Iterator[Sound | Excluded]:
        """See `Corpus.sounds`."""
        yield from map(self.sound, self.tracks(folder))

    @property
    def _largest(self) -> float:
        """The most bytes of a file to download, or of all that is in it: mirdata names no sizes."""
        return 2e9 * self.gigabytes

    def _module(self) -> Any:
        # Here, not above: it takes a second and 70 MB, and most runs need no dataset.
        return importlib.import_module(f"mirdata.datasets.{self.loader}")

    def _indexed(self, folder: Path) -> dict[str, str]:
        """Return path and checksum of every file that mirdata's index names."""
        path = folder / self.files()[0].filename
        with documents.expected(path, "remove it and run again"):
            index = documents.load_json(path)
            found = list((index.get("metadata") or {}).values())
            for track in (index.get("tracks") or {}).values():
                found += track.values()
            return {str(name): md5 for name, md5 in found if name}

    def _is_here(self, remote: Remote, folder: Path) -> bool:
        if not remote.packed:
            return (folder / remote.folder / remote.filename).exists()
        mark = _mark(remote, folder)
        return mark.exists() and mark.read_text().strip() == remote.md5

    def _unpack(self, remote: Remote, folder: Path, expected: dict[str, str]) -> None:
        archive = folder / remote.filename
        placed_by_hand = archive.exists()
        downloads.fetch(remote.url, archive, remote.md5, corpus=self.name, largest=self._largest)
        names = {name.removeprefix(remote.folder).removeprefix("/") for name in expected}
        unpacking.unpack(
            archive, folder / remote.folder, corpus=self.name, strip=self.strip, names=names, largest=self._largest
        )
        if not placed_by_hand:
            archive.unlink()


def _mark(remote: Remote, folder: Path) -> Path:
    """Return the file that marks an archive as completely unpacked."""
    return folder / ".unpacked" / remote.filename


def _check(item: tuple[Path, str]) -> tuple[bool, bool]:
    from mirdata.validate import validate

    path, md5 = item
    exists, valid = validate(str(path), md5)
    return exists, valid
