"""SoundFonts: find them in the system's folders or make them from other packages, verify them, list what they hold."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs

from instrec.corpus.index import write_table
from instrec.corpus.soundfont_programs import Held, ranges
from instrec.errors import UserError
from instrec.params import SoundFontParams
from instrec.synthesis.soundfonts import freepats, libraries, note_overlap, sf2_reader, singers


@dataclass(frozen=True)
class Known:
    """A SoundFont that Debian 12 packages, or that is made from such a package."""

    package: str
    size: int
    sha256: str


_log = logging.getLogger(__name__)

KNOWN = {
    freepats.NAME: Known("freepats", 24621650, "bf6ffba5b8f08ad137d1b5ecebcc2a95d243d585cfeb5871e23903614615feb7"),
    "A320U.sf2": Known("denemo-data", 9698968, "c3455f5ce7425e5ec737b4c6e8dd2ea2bd4ad407908853413ce7c44480bf89c8"),
    "GeneralUser-v1.47.sf2": Known(
        "minuet-data", 31281184, "226bdc28613368ce9b740ecf0748618c575657f19b9c88eada1a50b060ef7eba"
    ),
    "FluidR3_GM.sf2": Known(
        "fluid-soundfont-gm", 148398306, "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0"
    ),
    "FluidR3Mono_GM.sf3": Known(
        "fluidr3mono-gm-soundfont", 23614353, "cda013d8c370a48ae8dad271e761078d2e77455488dabdedbfbe5fc76a38c682"
    ),
    "MuseScore_General_Full.sf3": Known(
        "musescore-general-soundfont", 85967114, "f9a37b36655f23e167c66ec91bef6097c8e99be29286219a54062919eb41aeae"
    ),
    "OPL-3_FM_128M.sf2": Known(
        "opl3-soundfont", 135020964, "39bff96eee3dcfbce9665e3968701b894ca2136c7d0bd580281b2bbf59e80392"
    ),
    "sf_GMbank.sf2": Known(
        "csound-soundfont", 4191916, "9f39fc53bd3a1a69f13cb486838944eded358b3b6e8afbd6c1c2c33675b2034b"
    ),
    "TimGM6mb.sf2": Known(
        "timgm6mb-soundfont", 5969788, "c5378b62028c920cb11e4803327983fee2f2cdff5dc89c708e39da417e51c854"
    ),
}


def find(name: str, folders: Iterable[str]) -> Path:
    """Return the SoundFont of that file name in the first folder that has it.

    Raises
    ------
    UserError
        Naming the SoundFont and the command that installs it, or the folders where it may be put.
    """
    folders = list(folders)
    for folder in folders:
        path = Path(folder).expanduser() / name
        if path.is_file():
            return path
    if name == freepats.NAME and freepats.FOLDER.is_dir():
        return _made(name, freepats.digest(freepats.FOLDER), lambda path: freepats.build(path, freepats.FOLDER))
    if name == singers.NAME:
        return _made(name, singers.digest(), singers.build)
    if name in libraries.catalog().soundfonts:
        return libraries.find(name)
    places = " or ".join(folders)
    if name in KNOWN:
        raise UserError(
            "soundfont-missing", name, f"not in {places}; install it: sudo apt-get install {KNOWN[name].package}"
        )
    raise UserError(
        "soundfont-missing",
        name,
        f"not in {places}; put the file there, or add its folder to soundfonts.folders in params.yaml",
    )


def _made(name: str, digest: str, build: Callable[[Path], None]) -> Path:
    """Make a SoundFont once for this user; its path holds a digest of all that it is made of."""
    path = platformdirs.user_cache_path("instrec") / digest[:12] / name
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(path.with_suffix(".lock")):  # workers ask for it at the same time
                if not path.is_file():
                    build(path)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(
            "file-unwritable", path, f"cannot be made: {why}; have XDG_CACHE_HOME name a folder to write in"
        ) from error
    return path


def verify(path: Path) -> tuple[int, str]:
    """Check that a file is a whole SoundFont; warn where it differs from Debian's of the same name.

    Returns
    -------
    size : in bytes.
    sha256 : in hexadecimal.

    Raises
    ------
    UserError
        If it cannot be read, is no SoundFont, is cut off or damaged, or has the known size and another checksum.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise UserError("file-unreadable", path, f"cannot be read: {error.strerror}; {_remedy(path.name)}") from error
    _read(path)
    known = KNOWN.get(path.name)
    if known and size == known.size and sha256 != known.sha256:
        raise UserError(
            "checksum-mismatch", path, f"damaged, its checksum is not {known.package}'s; {_remedy(path.name)}"
        )
    if known and size != known.size:
        _log.warning("%s: another version than Debian 12's %s; metrics will differ a little", path, known.package)
    return size, sha256


def write(path: Path, settings: SoundFontParams, classes: Iterable[str]) -> None:
    """Find and verify all SoundFonts of params.yaml; write one row per role: name, size, checksum, content.

    Programs and drum kits are written as ranges: `0-2 16-19 24`. A warning names each SoundFont of training that shares
    notes of `classes` with the unseen one.

    Raises
    ------
    UserError
        As `find` and `verify` do.
    """
    columns = ["name", "role", "bytes", "sha256", "programs", "kits"]
    paths = {name: find(name, settings.folders) for name in settings.all}
    verified = {name: verify(file) for name, file in paths.items()}
    fonts = {name: _read(file) for name, file in paths.items()}
    _warn_of_overlap(fonts, settings, classes)
    roles = (("train", settings.train), ("valid", settings.valid), ("unseen", (settings.unseen,)))
    rows = [
        (name, role, *verified[name], ranges(fonts[name].programs), ranges(fonts[name].kits))
        for role, names in roles
        for name in dict.fromkeys(names)
    ]
    write_table(path, columns, (dict(zip(columns, row, strict=True)) for row in rows))


def held(names: Iterable[str], folders: Iterable[str]) -> dict[str, Held]:
    """Return what each SoundFont holds.

    Raises
    ------
    UserError
        As `find` does, and when one is damaged.
    """
    folders = tuple(folders)
    fonts = {name: _read(find(name, folders)) for name in set(names)}
    return {name: Held(font.programs, font.kits) for name, font in fonts.items()}


def _read(path: Path) -> sf2_reader.SoundFont:
    return sf2_reader.read(path, _remedy(path.name))


def _warn_of_overlap(fonts: dict[str, sf2_reader.SoundFont], settings: SoundFontParams, classes: Iterable[str]) -> None:
    for name in dict.fromkeys(settings.train):
        common = note_overlap.overlaps(fonts[name], fonts[settings.unseen], classes)
        if common:
            _log.warning(
                "%s: plays %s with notes that %s has as well: metrics of the unseen SoundFont are too high; take "
                "either out of soundfonts in params.yaml",
                name,
                ", ".join(common),
                settings.unseen,
            )


def _remedy(name: str) -> str:
    if name == freepats.NAME:
        return f"remove the file: it is made again of {freepats.FOLDER}"
    if name == singers.NAME:
        return "remove the file: it is made again of the voices of Debian's packages"
    if name in KNOWN:
        return f"install it again: sudo apt-get install --reinstall {KNOWN[name].package}"
    return sf2_reader.REMEDY
