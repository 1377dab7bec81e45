"""Answers to a download, byte for byte as they come over the line: whole, in chunks, from elsewhere, the rest of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_CONTENT = bytes(range(256)) * 40
_HAD = 4000  # bytes that an interrupted download left
_MOST = 1 << 20
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_CONTENT) + _CONTENT


def seeds() -> dict[str, bytes]:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (_CONTENT[:999], _CONTENT[999:], b""))
    rest = _CONTENT[_HAD:]
    return {
        "whole": _WHOLE,
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
        "rest": b"HTTP/1.1 206 Partial Content\r\nContent-Length: %d\r\n\r\n" % len(rest) + rest,
        "nothing": b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n",
    }


def _damaged(random: Random, data: bytes) -> bytes:
    """Damage the head, which is text, or all of it."""
    if random.random() < 0.5:
        return mutations.binary(random, data)
    head, _, body = data.partition(b"\r\n\r\n")
    return mutations.textual(random, head) + b"\r\n\r\n" + body


@contextlib.contextmanager
def _serving(answer: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:  # closed below
                    return
                with line, contextlib.suppress(OSError):
                    line.settimeout(10)
                    asked = line.recv(1 << 16)
                    line.sendall(_WHOLE if asked.startswith(b"GET /other ") else answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/set.zip"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.corpus.published import downloads

    os.environ["no_proxy"] = "*"
    place = Path("got/set.zip")
    place.parent.mkdir()
    had = {"rest": _CONTENT[:_HAD], "nothing": _CONTENT}.get(path.name)
    if had:
        place.with_name("set.zip.part").write_bytes(had)
    try:
        with _serving(path.read_bytes()) as url:
            md5 = hashlib.md5(_CONTENT).hexdigest()
            downloads.fetch(url, place, md5, corpus="fuzz", largest=_MOST, pace=downloads.Pace(grace_seconds=10))
        assert place.read_bytes() == _CONTENT, "another content, and nothing told"
    finally:
        size = sum(each.stat().st_size for each in place.parent.iterdir())
        assert size <= _MOST, f"{size} bytes left"
        assert not place.exists() or place.read_bytes() == _CONTENT, "another content in its place"


DOWNLOAD = Format(40, seeds, _damaged, _read, ("instrec.corpus.published.downloads",), makes="got")
