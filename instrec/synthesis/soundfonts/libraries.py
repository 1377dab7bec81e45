"""Sound libraries: public repositories and packages of recorded notes, pinned, made into SoundFonts.

`libraries.yaml` lists the sources of each SoundFont. Git fetches repositories: the commit is the checksum, and git's
`insteadOf` can name a mirror. npm fetches packages: `integrity` is the checksum, and npm's `registry` names the mirror.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import filelock
import platformdirs
from pydantic import Field

from instrec import params_schema
from instrec.errors import UserError
from instrec.synthesis.soundfonts import merging, recorded_notes, sf2_reader, sf2_writer, sfz
from instrec.util import documents, packages, repositories
from instrec.util.files import temporary_folder

CATALOG = Path("libraries.yaml")
DRUMS = 128  # stands for the drum kit among programs


@dataclass(frozen=True)
class Repository(params_schema.Section):
    """Where recorded notes come from: a git repository, `url` at `commit`, or a package of npm's, `name@version`."""

    license: str
    holder: str
    url: str = ""
    commit: Annotated[str, Field(pattern="^([0-9a-f]{40})?$")] = ""
    package: Annotated[str, Field(pattern=r"^(@?[\w.-]+(/[\w.-]+)?@\d[\w.+-]*)?$")] = ""
    integrity: Annotated[str, Field(pattern="^(sha512-[A-Za-z0-9+/]{86}==)?$")] = ""


@dataclass(frozen=True)
class Instrument(params_schema.Section):
    """The files of a repository that play some programs: SoundFonts, an SFZ file, or files with notes in their names.

    Attributes
    ----------
    soundfont : path of a SoundFont, in which `{program:03}` stands for the program.
    sfz : path of an SFZ file; `controllers` replace its own.
    notes : regular expression for the paths of files that have the note in their name, group `note`.
    samples : regular expression that an SFZ file's recordings hold in their paths.
    transpose : semitones from the keys that the library names to those that sound.
    files : what to fetch for an SFZ file or for notes, as patterns of a sparse checkout.
    """

    repository: str
    programs: tuple[Annotated[int, Field(ge=0, le=DRUMS)], ...]
    soundfont: str = ""
    sfz: str = ""
    notes: str = ""
    samples: str = ""
    controllers: dict[int, int] = field(default_factory=dict)
    transpose: int = 0
    release_seconds: float = 0.25
    files: tuple[str, ...] = ("/*",)


@dataclass(frozen=True)
class Catalog:
    """All of `libraries.yaml`."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    soundfonts: dict[str, tuple[Instrument, ...]] = field(default_factory=dict)


def catalog() -> Catalog:
    """Read the catalog of the working directory; without the file there are no libraries.

    Raises
    ------
    UserError
        Naming the entry that is wrong.
    """
    return _catalog(CATALOG.absolute()) if CATALOG.is_file() else Catalog()


@functools.cache
def _catalog(path: Path) -> Catalog:
    read = params_schema.build(Catalog, documents.load_yaml(path), str(CATALOG), joint=": ")
    for name, of in read.repositories.items():
        if len({bool(of.url), bool(of.commit), not of.package, not of.integrity}) > 1:
            reason = "a repository names url and commit, or package and integrity; correct the entry"
            raise UserError("value-invalid", f"{CATALOG}: {name}", reason)
    for name, instruments in read.soundfonts.items():
        for each in instruments:
            if each.repository not in read.repositories:
                reason = f"repository {each.repository} is not one of {', '.join(read.repositories)}"
                raise UserError("value-unknown", f"{CATALOG}: {name}", reason)
            if sum(map(bool, (each.soundfont, each.sfz, each.notes))) != 1:
                reason = "an instrument names one of soundfont, sfz and notes; mend the entry"
                raise UserError("value-invalid", f"{CATALOG}: {name}", reason)
    return read


def find(name: str) -> Path:
    """Return a SoundFont of the catalog, made once for this user; its path contains a digest of its sources.

    Raises
    ------
    UserError
        If a repository cannot be reached or lacks what is named, or a file in it is damaged.
    """
    cache = platformdirs.user_cache_path("instrec")
    path = cache / _digest(name)[:12] / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_suffix(".lock")):  # workers ask for it at the same time
            if not path.is_file():
                _build(path, cache / "libraries")
    return path


def _digest(name: str) -> str:
    instruments = catalog().soundfonts[name]
    sources = {each.repository: catalog().repositories[each.repository] for each in instruments}
    pins = sorted((name, of.commit or of.integrity) for name, of in sources.items())
    whole = hashlib.sha256(repr((instruments, pins)).encode())
    for module in (sys.modules[__name__], merging, recorded_notes, sf2_writer, sfz):
        whole.update(Path(str(module.__file__)).read_bytes())
    return whole.hexdigest()


def _build(path: Path, folder: Path) -> None:
    with temporary_folder() as scratch:
        parts = [
            part
            for number, instrument in enumerate(catalog().soundfonts[path.name])
            for part in _parts(instrument, folder, scratch / f"{number:03}.sf2")
        ]
        merging.merge(path, path.stem, parts)


def _parts(instrument: Instrument, folder: Path, scratch: Path) -> Iterator[Path]:
    """Return the SoundFonts, of one preset each, that play an instrument."""
    if instrument.soundfont:
        paths = [instrument.soundfont.format(program=program) for program in instrument.programs]
        checkout = _fetch(folder, instrument.repository, (f"/{path}" for path in paths))
        yield from (checkout / path for path in paths)
        return
    checkout = _fetch(folder, instrument.repository, instrument.files)
    if instrument.sfz:
        regions = sfz.regions(checkout / instrument.sfz, instrument.controllers)
        regions = [each for each in regions if re.search(instrument.samples, each.file.as_posix())]
    else:
        regions = recorded_notes.named(checkout, instrument.notes)
    if not regions:
        pattern = instrument.samples or instrument.notes
        raise UserError(
            "notes-missing", f"{CATALOG}: {instrument.repository}", f"no recordings match {pattern}; mend the entry"
        )
    notes = recorded_notes.notes(
        (each.transposed(instrument.transpose) for each in regions), release_seconds=instrument.release_seconds
    )
    presets = [(sf2_reader.DRUM_BANK, 0) if program == DRUMS else (0, program) for program in instrument.programs]
    sf2_writer.write(scratch, scratch.stem, dict.fromkeys(presets, notes))
    yield scratch


def _fetch(folder: Path, repository: str, patterns: Iterable[str]) -> Path:
    """Fetch some files of a git repository, or all of a package; return the folder that holds them."""
    of = catalog().repositories[repository]
    terms, remedy = f"{of.license}, {of.holder}", "take its SoundFonts out of params.yaml: soundfonts"
    if of.package:
        unpacked = folder / of.package.replace("/", "+")
        packages.fetch(unpacked, of.package, of.integrity, terms=terms, remedy=remedy)
        return unpacked
    repositories.fetch(folder / repository, of.url, of.commit, patterns, terms=terms, remedy=remedy)
    return folder / repository
