"""What the tests of datasets share: miniatures, and a server on this machine that gives them, byte ranges included."""

import json
import re
import runpy
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from instrec.corpus.published import CORPORA
from instrec.corpus.published.mirdata_loader import MirdataCorpus, Remote
from instrec.errors import log_to_stderr


@dataclass
class Server:
    """What is served, and how."""

    root: Path
    url: str = ""
    ranges: bool = True
    cut: dict[str, int] = field(default_factory=dict)  # file -> bytes after which the connection breaks off, once
    spoil: str = ""  # file whose bytes arrive wrong
    asked: list[tuple[str, str]] = field(default_factory=list)  # file, range


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            server.asked.append((self.path.rpartition("/")[2], wanted))
            path = server.root / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            if path.name == server.spoil:
                content = content[:-1] + bytes([content[-1] ^ 1])
            start = int(re.sub(r"\D", "", wanted) or 0) if server.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: server.cut.pop(path.name, None)])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture(scope="session")
def miniatures(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    folder = tmp_path_factory.mktemp("miniatures")
    runpy.run_path(str(repository / "scripts/make_miniature_corpora.py"))["make"](folder)
    return folder


@pytest.fixture
def server(miniatures: Path) -> Iterator[Server]:
    """A server of the miniatures."""
    told = Server(miniatures / "served")
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(told))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{http.server_port}"
    yield told
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def bring(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a dataset into `corpora/NAME` of an empty project; `CORPORA` knows this machine's server alone."""
    monkeypatch.chdir(tmp_path)
    downloaded = {name: corpus for name, corpus in CORPORA.items() if isinstance(corpus, MirdataCorpus)}
    for name, corpus in downloaded.items():
        rows = json.loads((server.root / name / "remotes.json").read_text())
        remotes = (Remote(**row | {"url": f"{server.url}/{name}/{row['url']}"}) for row in rows)
        monkeypatch.setitem(CORPORA, name, replace(corpus, remotes=tuple(remotes)))

    def brought(name: str) -> Path:
        folder = Path("corpora") / name
        if name not in downloaded:
            shutil.copytree(server.root.parent / "placed" / name, folder)
        with log_to_stderr():
            CORPORA[name].download(folder)
        return folder

    return brought
