"""Unpack zip and tar archives: never outside their folder, within limits, each file whole or not at all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from instrec.errors import UserError
from instrec.util.files import written_whole

LARGEST_BYTES = 100_000_000_000  # unpacked, where a dataset says no size of its own
LARGEST_RATIO = 200  # of unpacked to packed size: sound packs to half of its size, tables of text to a tenth
MOST_FILES = 500_000  # the largest dataset, Slakh, has some 50,000
_LONGEST_HEADER = 1 << 20  # bytes of a long name or of attributes in a tar archive, which are read into memory
_BLOCK = 1 << 20
_ZIP_END = 22  # bytes of a zip archive's last record, before a comment
_UTF8_NAME = 0x800  # flag of a file in a zip archive
_NAME_ENCODINGS = ("utf-8", "cp1252", "mac_roman")  # that old archivers wrote without saying so
_STREAMS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_IN_MEMORY = (tarfile.XHDTYPE, tarfile.XGLTYPE, b"X", tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _Refused(Exception):
    """What an archive holds that no dataset needs."""


def unpack(
    archive: Path,
    folder: Path,
    *,
    corpus: str,
    strip: str = "",
    names: Collection[str] = (),
    largest: float = LARGEST_BYTES,
) -> None:
    """Unpack a zip or tar archive, one file after the other, in bounded memory.

    Parameters
    ----------
    strip : folder that the archive holds everything in, left out.
    names : paths that are expected, relative to `folder`: they decide how names that are not ASCII were encoded.
    largest : bytes of all files together.

    Raises
    ------
    UserError
        If the archive is damaged, the disk is full, or it holds links, names that lead out of the folder or differ
        in case alone, or more than `largest`, `LARGEST_RATIO` or `MOST_FILES` allow. Files before the fault stay, each
        whole.
    """
    try:
        left = min(largest, LARGEST_RATIO * archive.stat().st_size + _BLOCK)
        known: dict[str, Path] = {}  # by how a file system without case sees their names
        for number, (name, file) in enumerate(_files(archive, strip, names)):
            if number >= MOST_FILES:
                raise _Refused(f"it holds more than {MOST_FILES} files")
            path = folder / _inside(name, strip)
            if (other := known.setdefault(str(path).casefold(), path)) != path:
                raise _Refused(f"{other} and {path} are one file where case does not count")
            if path.is_dir():
                raise UserError(
                    "folder-in-the-way",
                    f"{corpus}: {path}",
                    f"a folder is where a file of {archive} belongs; remove it, run again",
                )
            with written_whole(path) as part, part.open("wb") as target:
                while block := file.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise _Refused(f"it holds far more than its size of {archive.stat().st_size} bytes lets expect")
                    target.write(block)
    except _Refused as refused:
        raise UserError(
            "archive-refused", f"{corpus}: {archive}", f"refused, {refused}; get it from where it was published"
        ) from refused
    except UserError:
        raise
    except Exception as error:  # zip, tar and each compression have their own, and struct and the decoders theirs
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            "archive-damaged", f"{corpus}: {archive}", f"damaged ({what}); remove it and run again"
        ) from error


def _files(archive: Path, strip: str, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Return name and content of each file of an archive; folders come with what is in them."""
    if not archive.is_file():
        raise _Refused("it is no file")
    with archive.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"PK"):
        with zipfile.ZipFile(archive) as zipped:
            _check_count(archive, len(zipped.infolist()))
            for info in zipped.infolist():
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise _Refused(f"{info.filename!r} is a link")
                if not info.is_dir():
                    with zipped.open(info) as content:
                        yield _zip_name(info, strip, names), content
        return
    opened = next((opened for magic, opened in _STREAMS.items() if start.startswith(magic)), open)
    with opened(archive, "rb") as stream:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as tarred:
            for member in tarred:
                if not (member.isfile() or member.isdir()) or member.size < 0:
                    raise _Refused(f"{member.name!r} is a link or a device")
                if packed := tarred.extractfile(member):
                    yield member.name, packed
        while stream.read(_BLOCK):  # a checksum comes last
            pass


def _check_count(archive: Path, count: int) -> None:
    """Refuse a zip archive whose number of files differs from its last record, which `zipfile` ignores."""
    with archive.open("rb") as file:
        file.seek(-min(archive.stat().st_size, _ZIP_END + 0xFFFF), os.SEEK_END)
        tail = file.read()
    start = tail.rfind(b"PK\5\6") + 10
    told = int.from_bytes(tail[start : start + 2], "little")
    if told not in (count & 0xFFFF, 0xFFFF):  # the last where a further table, of a larger archive, has the number
        raise ValueError(f"it lists {count} files, and says that there are {told}")


class _Member(tarfile.TarInfo):
    """Raise an error where `tarfile` takes a damaged header for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the block of zeros that ends an archive
                raise
            raise ValueError(f"a header is damaged or missing: {error}") from error
        if member.type in _IN_MEMORY and not 0 <= member.size <= _LONGEST_HEADER:
            raise _Refused(f"a name or its attributes claim {member.size} bytes")
        return member


def _zip_name(info: zipfile.ZipInfo, strip: str, names: Collection[str]) -> str:
    """Return a file's name in the encoding of its archive; if unknown, in the one that gives an expected name."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    raw = info.filename.encode("cp437")  # as zipfile reads names
    guesses = [raw.decode(encoding, "replace") for encoding in _NAME_ENCODINGS]
    return next((guess for guess in guesses if guess.removeprefix(f"{strip}/") in names), guesses[0])


def _inside(name: str, strip: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _Refused(f"{name!r} leads out of the folder")
    if not path.parts or len(os.fsencode(path.name)) > 200:
        raise _Refused(f"{name[:40]!r} is no file's name")
    return path.relative_to(strip) if strip and path.is_relative_to(strip) and path != PurePosixPath(strip) else path
