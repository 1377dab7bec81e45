import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from instrec import web
from instrec.web import HOST, bound
from tests.tone_model import model


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve a model of tones on a free port, 1 MB at most; give its address, and the folder of temporary files."""
    folder, before = tmp_path_factory.mktemp("uploads"), tempfile.tempdir
    tempfile.tempdir = str(folder)
    listening = bound(0)
    running = web.server(model(), limit_mb=1)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}", folder
    finally:
        running.should_exit = True
        thread.join()
        tempfile.tempdir = before


@pytest.fixture
def address(server: tuple[str, Path]) -> str:
    return server[0]


@pytest.fixture
def uploads(server: tuple[str, Path]) -> Path:
    return server[1]
