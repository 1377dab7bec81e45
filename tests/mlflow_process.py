"""A real MLflow server in a process of its own, which stops with its tests."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving_mlflow(command: str, folder: Path) -> Iterator[str]:
    """Run `mlflow server` or `mlflow ui` in a folder, but on a free port; give its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = folder.with_name(f"{folder.name}.log")
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *command.replace("5000", port).split(), "--workers", "1"],
            cwd=folder,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(f"{address}/health"):
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _answers(address: str) -> bool:
    try:
        # Past any proxy: it is this machine.
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5).close()
    except OSError:
        return False
    return True
