"""Downloading, resumed where it stopped, trusted with the right checksum alone; unpacking, never outside its folder."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from instrec.errors import UserError
from instrec.progress import tqdm

TIMEOUT_SECONDS = 60.0  # without a byte
_BLOCK = 1 << 20
_BROKEN_LINE = (ConnectionError, TimeoutError, ssl.SSLError)  # beside what the HTTP library says itself
_UTF8_NAME = 0x800  # flag of a file in a zip archive
_NAME_ENCODINGS = ("utf-8", "cp1252", "mac_roman")  # that old archivers wrote without saying so


def md5_of(path: Path) -> str:
    """Give a file's MD5 checksum in hexadecimal, which is what data sets publish."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def fetch(url: str, path: Path, md5: str, *, corpus: str) -> None:
    """Download a file; what an interrupted download left (`path` with `.part`) is gone on with.

    Parameters
    ----------
    path : where it belongs; a file that is there already is only checked.
    md5 : its checksum, in hexadecimal.
    corpus : the data set's name, for messages.

    Raises
    ------
    UserError
        Offline, when the transfer breaks off, the disk is full, or the checksum is wrong: nothing is left at `path`.
    """
    by_hand = f"place {path.name} from {url} in {path.parent} by hand"
    if path.exists():
        if md5_of(path) != md5:
            raise UserError(f"{corpus}: {path}: its checksum is not the published one; remove it, or {by_hand}")
        return
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, corpus=corpus, by_hand=by_hand)
        if md5_of(part) != md5:
            part.unlink()
            raise UserError(f"{corpus}: {path.name}: damaged on its way, removed; run again, or {by_hand}")
        part.replace(path)
    except OSError as error:
        raise _unwritable(corpus, path, error) from error


def _receive(url: str, part: Path, *, corpus: str, by_hand: str) -> None:
    """Append to `part` what the server has beyond it."""
    start = part.stat().st_size if part.exists() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            if response.status != http.client.PARTIAL_CONTENT:
                start = 0  # the server gives all of it
            total = start + int(response.headers.get("Content-Length", 0))
            bar = tqdm(total=total or None, initial=start, desc=part.stem, unit="B", unit_scale=True)
            with bar, part.open("ab" if start else "wb") as file:
                for block in _blocks(response):
                    file.write(block)
                    bar.update(len(block))
        if part.stat().st_size < total:
            raise http.client.IncompleteRead(b"", total - part.stat().st_size)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # nothing beyond what is there: see the checksum
            raise UserError(f"{corpus}: {url}: {error.code} {error.reason}; try again later, or {by_hand}") from error
    except (urllib.error.URLError, http.client.HTTPException, *_BROKEN_LINE, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            f"{corpus}: cannot be downloaded from {url} ({reason}); run again to go on where it stopped, or {by_hand}"
        ) from error


def _blocks(response: IO[bytes]) -> Iterator[bytes]:
    while block := response.read(_BLOCK):
        yield block


def unpack(archive: Path, folder: Path, *, corpus: str, strip: str = "", names: Collection[str] = ()) -> None:
    """Unpack a zip or tar archive, one file after the other, in bounded memory.

    Parameters
    ----------
    strip : folder that the archive holds everything in, left out.
    names : paths that are expected, relative to `folder`: they decide how names that are not ASCII were encoded.

    Raises
    ------
    UserError
        When the archive is damaged, the disk is full, or it holds links, or names that lead out of the folder.
    """
    try:
        for name, file in _files(archive, strip, names):
            path = folder / _inside(name, strip, archive, corpus)
            path.parent.mkdir(parents=True, exist_ok=True)
            with file, path.open("wb") as target:
                shutil.copyfileobj(file, target, _BLOCK)
    except _Refused as refused:
        raise UserError(f"{corpus}: {archive}: refused, {refused}; get it from where it was published") from refused
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, UnicodeError, RuntimeError) as error:
        raise UserError(f"{corpus}: {archive}: damaged ({error}); remove it and run again") from error
    except OSError as error:
        if error.errno is None:  # gzip's word for a broken stream
            raise UserError(f"{corpus}: {archive}: damaged ({error}); remove it and run again") from error
        raise _unwritable(corpus, folder, error) from error


class _Refused(Exception):
    """What an archive holds that no data set needs."""


def _files(archive: Path, strip: str, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Give name and content of each file of an archive; folders come with what is in them."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise _Refused(f"{info.filename} is a link")
                if not info.is_dir():
                    yield _zip_name(info, strip, names), zipped.open(info)
        return
    with tarfile.open(archive, "r|*") as tarred:
        for member in tarred:
            if not (member.isfile() or member.isdir()):
                raise _Refused(f"{member.name} is a link or a device")
            if content := tarred.extractfile(member):
                yield member.name, content


def _zip_name(info: zipfile.ZipInfo, strip: str, names: Collection[str]) -> str:
    """Give a file's name as its maker wrote it: where the archive does not say how, as it is expected."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    raw = info.filename.encode("cp437")  # as zipfile reads names
    guesses = [raw.decode(encoding, "replace") for encoding in _NAME_ENCODINGS]
    return next((guess for guess in guesses if guess.removeprefix(f"{strip}/") in names), guesses[0])


def _inside(name: str, strip: str, archive: Path, corpus: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _Refused(f"{name} leads out of the folder")
    return path.relative_to(strip) if strip and path.is_relative_to(strip) else path


def _unwritable(corpus: str, path: Path, error: OSError) -> UserError:
    what = os.strerror(error.errno) if error.errno else str(error)
    return UserError(f"{corpus}: {path}: cannot be written: {what}; free some space or change sources.corpora")
