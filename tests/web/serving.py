"""A server of the tone model as a process of its own: its address, what it writes, the uploads that it holds."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Serving:
    """A process that serves, the folder of its uploads, and the file of what it writes to standard error."""

    process: subprocess.Popen[str]
    address: str
    uploads: Path
    written: Path

    @property
    def complaints(self) -> str:
        return self.written.read_text()

    def connect(self) -> socket.socket:
        place = urlsplit(self.address)
        return socket.create_connection((place.hostname, place.port), timeout=20)

    def send(self, request: bytes) -> socket.socket:
        """Connect, send, and leave the connection open."""
        connection = self.connect()
        connection.sendall(request)
        return connection

    def post(self, *headers: str) -> bytes:
        """Return the head of a request to which a file is to follow."""
        lines = ["POST /timeline HTTP/1.1", f"Host: {urlsplit(self.address).netloc}", *headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def holds(self) -> int:
        return len(held(self.process.pid, f"{self.uploads}/"))

    def sockets(self) -> int:
        return len(held(self.process.pid, "socket:"))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let it write no more than 100 kB into a file."""
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (100_000, most))
        try:
            yield
        finally:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most, most))


def held(process: int, beginning: str) -> list[str]:
    """Return what a process has open, named or not, whose name begins so."""
    links = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(link.readlink()))
    return [link for link in links if link.startswith(beginning)]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def serving(folder: Path, **options: float) -> Iterator[Serving]:
    """Start one in a folder; `options` are those of `web.serve`."""
    uploads, written = folder / "uploads", folder / "stderr"
    uploads.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(uploads), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, __file__, json.dumps(options)]
    with written.open("a") as stderr:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        address = process.stdout.readline().split("/ ")[0]
        assert address, written.read_text()
        written.write_text("")  # what TensorFlow says as it loads
        yield Serving(process, address, uploads, written)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    from instrec.web import bound, serve
    from tests.tone_model import model

    with bound(0) as listening:
        serve(model(), listening, **json.loads(sys.argv[1]))
