"""Downloads: resumed after a break, limited in time and size, and checked by their checksum."""

from __future__ import annotations

import http.client
import io
import os
import ssl
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from instrec.errors import UserError
from instrec.util import files
from instrec.util.progress import tqdm

TIMEOUT_SECONDS = 60.0  # without a byte
_BLOCK = 1 << 20
_BROKEN_LINE = (ConnectionError, TimeoutError, ssl.SSLError)  # beside what the HTTP library says itself
LARGEST_BYTES = 100_000_000_000


@dataclass
class Pace:
    """The time limit of a download: some seconds, and one more for so many bytes.

    The timeout of a socket starts again with each byte. This limit also ends a server that sends a byte per second. A
    line slower than 20 kB/s on average resumes with the next run.
    """

    grace_seconds: float = 120.0
    bytes_per_second: float = 20_000.0
    received: int = 0  # of the body
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        return self.started + self.grace_seconds + self.received / self.bytes_per_second - time.monotonic()


def fetch(
    url: str, path: Path, md5: str, *, corpus: str, largest: float = LARGEST_BYTES, pace: Pace | None = None
) -> None:
    """Download a file, or resume an interrupted download, which left `path` with `.part`.

    Parameters
    ----------
    path : where it belongs; a file that is there already is only checked.
    md5 : its checksum, in hexadecimal.
    corpus : the dataset's name, for messages.
    largest : bytes of the file.
    pace : the time that the download may take.

    Raises
    ------
    UserError
        Offline, when the transfer breaks off, is too slow or too large, the disk is full, or the checksum is wrong:
        nothing is left at `path`.
    """
    by_hand = f"place {path.name} from {url} in {path.parent} by hand"
    if path.is_dir():
        raise UserError(
            "folder-in-the-way",
            f"{corpus}: {path}",
            f"a folder is where this file belongs; remove it and run again, or {by_hand}",
        )
    if path.exists():
        if files.md5(path) != md5:
            raise UserError(
                "checksum-mismatch",
                f"{corpus}: {path}",
                f"its checksum is not the published one; remove it, or {by_hand}",
            )
        return
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, largest, pace or Pace(), corpus=corpus, by_hand=by_hand)
        if files.md5(part) != md5:
            part.unlink()
            raise UserError(
                "download-damaged", f"{corpus}: {path.name}", f"damaged on its way, removed; run again, or {by_hand}"
            )
        part.replace(path)
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        reason = f"cannot be written: {what}; free some space or change sources.corpora"
        raise UserError("file-unwritable", f"{corpus}: {path}", reason) from error


def _receive(url: str, part: Path, largest: float, pace: Pace, *, corpus: str, by_hand: str) -> None:
    """Append to `part` what the server has beyond it."""
    start = part.stat().st_size if part.exists() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        with _opener(pace).open(request, timeout=TIMEOUT_SECONDS) as response:
            if response.status != http.client.PARTIAL_CONTENT:
                start = 0  # the server gives all of it
            total = start + int(response.headers.get("Content-Length", 0))
            if total > largest:
                raise _TooLarge
            bar = tqdm(total=total or None, initial=start, desc=part.stem, unit="B", unit_scale=True)
            with bar, part.open("ab" if start else "wb") as file:
                while block := response.read1(_BLOCK):  # what is there: nothing is lost when the line breaks
                    pace.received += len(block)
                    if start + pace.received > largest:
                        raise _TooLarge
                    file.write(block)
                    bar.update(len(block))
        if part.stat().st_size < total:
            raise http.client.IncompleteRead(b"", total - part.stat().st_size)
    except _TooLarge as error:
        part.unlink(missing_ok=True)
        limit = f"more than the {largest / 1e6:,.0f} MB that it may have"
        raise UserError("download-too-large", f"{corpus}: {url}", f"{limit}; try again later, or {by_hand}") from error
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # nothing beyond what is there: see the checksum
            raise UserError(
                "download-failed", f"{corpus}: {url}", f"{error.code} {error.reason}; try again later, or {by_hand}"
            ) from error
    except (urllib.error.URLError, http.client.HTTPException, *_BROKEN_LINE, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(
            "download-interrupted",
            corpus,
            f"cannot be downloaded from {url} ({reason}); run again to go on where it stopped, or {by_hand}",
        ) from error


class _TooLarge(Exception):
    """More bytes than the file can have."""


def _opener(pace: Pace) -> urllib.request.OpenerDirector:
    """Return an opener of addresses, with redirects and proxies, that reads headers and bodies at a pace."""

    class Plain(urllib.request.HTTPHandler):
        def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
            return super().do_open(partial(_connection, http_class, pace), req, **options)

    class Secure(urllib.request.HTTPSHandler):
        def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
            return super().do_open(partial(_connection, http_class, pace), req, **options)

    return urllib.request.build_opener(Plain, Secure)


def _connection(kind: Any, pace: Pace, *arguments: Any, **options: Any) -> Any:
    connection = kind(*arguments, **options)
    connection.response_class = partial(_Response, pace)
    return connection


class _Response(http.client.HTTPResponse):
    def __init__(self, pace: Pace, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Paced(self.fp, sock, pace))


class _Paced(io.RawIOBase):
    """What comes through a socket, for as long as a pace allows."""

    def __init__(self, file: Any, sock: Any, pace: Pace) -> None:
        self._file, self._sock, self._pace = file, sock, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._pace.seconds_left
        if left > 0:
            self._sock.settimeout(min(TIMEOUT_SECONDS, left))
            with suppress(TimeoutError):
                return int(self._file.raw.readinto(buffer))
        if self._pace.seconds_left > 0:
            raise TimeoutError(f"nothing came for {TIMEOUT_SECONDS:g} s")
        raise TimeoutError(f"slower than {self._pace.bytes_per_second / 1000:g} kB/s")

    def close(self) -> None:
        self._file.close()
        super().close()
