"""Odd requests: each gets an answer that refuses it, and none a traceback."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from tests.web.serving import Serving, serving, wait_for

METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PATCH",
    "PROPFIND",
    "get",
    "A" * 5000,
]
PATHS = ["/", "/timeline", "/web.js", "*", "http://127.0.0.1/", "//", "/%00", "/%ff%fe", "/..%2f..%2fetc/passwd",
         "/timeline/", "/?" + "a=b&" * 2000, "/" + "x" * 70_000, "/{{7*7}}", "/\u00e4", "/a b", "x", ""]  # fmt: skip
HEADERS = ["Content-Length: -1", "Content-Length: 1e9", "Content-Length: 99999999999999999999999",
           "Content-Length: \u0664",
           "Content-Length: 1\r\nContent-Length: 2", "Content-Length: 3\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, chunked", "Host: other", "Host: ", "Host: [::1",
           "Host: 127.0.0.1:99999999", "Host: \udcff", "Origin: \udcff\udcfe", "Origin: null",
           "Sec-Fetch-Site: \udcff",
           "Sec-Fetch-Site: same-site", ": empty", "No colon", " folded", "Name : space", "X: " + "y" * 200_000,
           "X: \0",
           "Expect: 100-continue\r\nContent-Length: 9999999999", "Expect: nothing",
           "Upgrade: websocket\r\nConnection: Upgrade",
           "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", "Content-Encoding: gzip", "Range: bytes=9-1",
           "Content-Type: multipart/form-data", "Content-Type: multipart/form-data; boundary=" + "b" * 9000,
           "Content-Type: \udcff", *["X: y"] * 3]  # fmt: skip
BODIES = [
    b"",
    b"--b\r\nContent-Disposition: form-data; name=f; filename=../../a\r\n\r\nx\r\n--b--\r\n",
    b"\x1f\x8b" * 50,
]


def requests() -> Iterator[bytes]:
    """Return every method with a path of its own, every path and header, and bytes that are no HTTP."""
    for number, (method, path) in enumerate(product(METHODS, PATHS)):
        if (method in ("GET", "HEAD") and path.startswith(("/?", "/web.js"))) or path == "/":
            continue  # may be answered
        if number % 3 == 0 or path == "/timeline":
            yield raw(method, path, "Host: localhost", b"")
    for header, body in product(HEADERS, BODIES):
        host = "" if header.startswith("Host:") else "Host: localhost\r\n"
        length = "" if "Length" in header or "Transfer" in header else f"\r\nContent-Length: {len(body)}"
        yield raw("POST", "/timeline/no" if header == "X: y" else "/timeline", f"{host}{header}{length}", body)
    yield from (b"\r\n\r\n\r\n", b"\0" * 70_000, b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")  # fmt: skip
    chance = random.Random(20)
    for _ in range(40):
        whole = bytearray(
            raw("POST", "/timeline", "Host: localhost\r\nTransfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")
        )
        for _ in range(chance.randint(1, 6)):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        yield bytes(whole)


def raw(method: str, path: str, headers: str, body: bytes) -> bytes:
    return f"{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n".encode(errors="surrogateescape") + body


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("odd"), patience=0.5, limit_mb=1) as one:
        yield one


def answered(server: Serving, request: bytes) -> bytes:
    """Return what comes back until the server hangs up, or has given an answer and no more comes."""
    found = b""
    with server.connect() as connection:
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                found += part
        except ConnectionError:  # it hung up before it had read all of it
            pass
    return found


def test_odd_requests(server):
    tried = list(requests())
    assert len(tried) > 200
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda request: answered(server, request), tried))
    wrong = [(each[:200], answer[:200]) for each, answer in zip(tried, answers, strict=True) if not refused(answer)]
    assert not wrong, f"{len(wrong)} of {len(tried)}: {wrong[:9]}"
    wait_for(lambda: server.holds() == 0)
    assert server.complaints == ""


def refused(answer: bytes) -> bool:
    """Return whether every answer refuses, sends elsewhere, or says that what was sent is no sound."""
    heads = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ") and b" 100 " not in line]
    statuses = {head[9:10] for head in heads}
    return statuses <= {b"3", b"4"} or (statuses <= {b"2", b"4"} and b'{"error": ' in answer)
