"""A repository with a branch for whatever a pull request may bring, and GitHub."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import toy_pipeline
from tests.shared import once
from tests.workflows.github import TOKEN, GitHub


@pytest.fixture
def github() -> Iterator[GitHub]:
    hub = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def handle_all(self) -> None:
            path, _, query = self.path.partition("?")
            numbers = {key: int(value) for key, _, value in (each.partition("=") for each in query.split("&") if each)}
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                code, reply = hub.answer(self.command, path, numbers, json.loads(text) if text else None)
            else:
                code, reply = 401, {"message": "Bad credentials"}
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        do_GET = do_POST = do_PATCH = handle_all

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


def rebuilt(learning_rate: float) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        toy_pipeline.set_learning_rate(tree, learning_rate)
        toy_pipeline.rebuild(tree)

    return change


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda tree: toy_pipeline.replace(tree, file, old, new)


def without_a_metric(tree: Path) -> None:
    toy_pipeline.replace(tree, "toy.py", '"top1", ', "")
    toy_pipeline.rebuild(tree)


BRANCHES = {
    "better": rebuilt(0.004),
    "noise": rebuilt(0.0029),
    "worse": rebuilt(0.002),
    "not-rebuilt": edited("params.yaml", "learning_rate: 0.003", "learning_rate: 0.004"),
    "broken-lock": edited("dvc.lock", "schema:", "<<<<<<< HEAD\nschema:"),
    "tampered-data": edited("data.dvc", "md5: ", "md5: 0"),
    "tampered-metrics": edited("metrics/test.json", "0.6", "0.9"),
    "missing-metric": without_a_metric,
}


@pytest.fixture(scope="session")
def origin(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a branch for whatever a pull request may bring; it is not to be changed, but cloned."""

    def build(folder: Path) -> None:
        shutil.copytree(toy, folder, symlinks=True)
        for name, change in BRANCHES.items():
            toy_pipeline.branch(folder, name, change)

    return once(tmp_path_factory, "workflows", build)
