"""A server that never comes to an end costs a download a known time and space; then it is told."""

import hashlib
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from instrec.corpus.published import downloads
from tests.refusals import refused

OK = b"HTTP/1.1 200 OK\r\n"


def dripping(before: bytes, drop: bytes) -> Iterator[bytes]:
    yield before
    while True:
        time.sleep(0.05)
        yield drop


# Code, subject and what is named.
SLOW = ("download-interrupted", "irmas", "kB/s")
LARGE = ("download-too-large", "irmas: {url}", "1 MB")
BEHAVIORS: dict[str, tuple[Any, ...]] = {
    "a byte at a time": (dripping, (OK + b"Content-Length: 900000\r\n\r\n", b"x"), SLOW),
    "headers that drip": (dripping, (OK, b"A"), SLOW),
    "a status that drips": (dripping, (b"HTTP/1.1 ", b"2"), SLOW),
    "slow 100 Continue": (dripping, (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), SLOW),
    "fast 100 Continue": (itertools.repeat, (b"HTTP/1.1 100 Continue\r\n\r\n" * 50,), SLOW),
    "endless": (itertools.chain, ((OK + b"\r\n",), itertools.repeat(b"x" * 65536)), LARGE),
    "endless chunks": (
        itertools.chain,
        ((OK + b"Transfer-Encoding: chunked\r\n\r\n",), itertools.repeat(b"1000\r\n" + b"x" * 4096 + b"\r\n")),
        LARGE,
    ),
    "declared too large": (dripping, (OK + b"Content-Length: 5000000000\r\n\r\n", b"x"), LARGE),
}


@contextmanager
def serving(content: Iterable[bytes]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                for part in content:
                    connection.sendall(part)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.zip"
        thread.join(5)
        assert not thread.is_alive()  # it was hung up on


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_what_never_ends_is_told(tmp_path, behavior):
    make, arguments, (code, subject, named) = BEHAVIORS[behavior]
    start = time.monotonic()
    with serving(make(*arguments)) as url, refused(code, subject.format(url=url), named) as raised:
        pace = downloads.Pace(grace_seconds=0.5)
        downloads.fetch(url, tmp_path / "a.zip", "0", corpus="irmas", largest=1_000_000, pace=pace)
    assert time.monotonic() - start < 4
    assert url in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "a.zip").exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_000_000


def test_what_came_slowly_is_gone_on_with(server, tmp_path):
    content = (server.root / "irmas/IRMAS-TestingData-Part1.zip").read_bytes()
    path, md5 = tmp_path / "a.zip", hashlib.md5(content).hexdigest()

    def slow() -> Iterator[bytes]:
        yield OK + b"Content-Length: %d\r\n\r\n" % len(content) + content[:100]
        time.sleep(1)

    pace = downloads.Pace(grace_seconds=0.5)
    with serving(slow()) as url, refused("download-interrupted", "irmas", url, "run again"):
        downloads.fetch(url, path, md5, corpus="irmas", pace=pace)
    assert path.with_name("a.zip.part").read_bytes() == content[:100]
    downloads.fetch(f"{server.url}/irmas/IRMAS-TestingData-Part1.zip", path, md5, corpus="irmas")
    assert path.read_bytes() == content
    assert server.asked[-1][1] == "bytes=100-"
