"""Requests at the page of `instrec serve`, byte for byte as they come over the line."""

from __future__ import annotations

import functools
import io
import logging
import socket
import tempfile
import threading
import time
import wave
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz import mutations
from tests.fuzz.harness import Format

_GET = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port:05}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
_POST = (
    "POST /timeline HTTP/1.1\r\nHost: 127.0.0.1:{port:05}\r\nOrigin: http://127.0.0.1:{port:05}\r\n"
    "Content-Type: audio/wav\r\n{length}\r\nConnection: close\r\n\r\n"
)
_PORT = b"00000"  # in its place the server's comes
_PATIENCE = 0.5  # seconds for an answer, which may never come where a request has no end


@functools.cache
def seeds() -> dict[str, bytes]:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((9000 * np.sin(np.arange(8000) / 3)).astype("<i2").tobytes())
    body = written.getvalue()
    middle = len(body) // 2
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:middle], body[middle:], b""))
    return {
        "page": _GET.format(path="/", port=0).encode(),
        "looks": _GET.format(path="/web.css", port=0).encode(),
        "posted": _POST.format(length=f"Content-Length: {len(body)}", port=0).encode() + body,
        "in chunks": _POST.format(length="Transfer-Encoding: chunked", port=0).encode() + parts,
    }


def _damaged(random: Random, data: bytes) -> bytes:
    """Damage the head, which is text, or all of it."""
    head, _, body = data.partition(b"\r\n\r\n")
    kind = random.randrange(3)
    if kind == 0:
        return mutations.binary(random, data)
    if kind == 1:
        return head + b"\r\n\r\n" + mutations.binary(random, body or b"body")
    return mutations.textual(random, head)[:60_000] + b"\r\n\r\n" + body


class _Log(logging.Handler):
    """What the terminal would show."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.errors.append(logging.Formatter().format(record))


@functools.cache
def _server() -> tuple[int, _Log]:
    import uvicorn

    from instrec.web import bound
    from instrec.web.app import application
    from tests.tone_model import model

    log = _Log()
    logging.getLogger().addHandler(log)
    listening = bound(0)
    settings = uvicorn.Config(application(model(), limit_mb=1), lifespan="off", log_config=None)
    server = uvicorn.Server(settings)
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return listening.getsockname()[1], log


def _asked(port: int, request: bytes, patience: float) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        try:
            line.sendall(request)
            while part := line.recv(1 << 16):
                answer += part
        except (TimeoutError, ConnectionError):
            pass  # the rest is not waited for
    return answer


def _read(path: Path, before: bytes, random: Random) -> None:
    port, log = _server()
    log.errors.clear()
    request = path.read_bytes()
    answer = _asked(port, request.replace(_PORT, b"%05d" % port), 20 if request == before else _PATIENCE)
    if request == before:
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
        assert not path.name.startswith("p") or b"instrument" in answer or b"html" in answer, answer[-500:]
    status = answer[9:12]
    assert not status.startswith(b"5"), answer[:500]
    again = _asked(port, _GET.format(path="/", port=port).encode(), 10)
    assert again.startswith(b"HTTP/1.1 200 "), f"no answer to the next request: {again[:200]!r}"
    deadline = time.monotonic() + 5
    while any(Path(tempfile.gettempdir()).iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not log.errors, "\n".join(log.errors)


REQUEST = Format(60, seeds, _damaged, _read, ("instrec.web.app",))
