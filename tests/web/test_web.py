"""`instrec serve` as a process: its address, its end, a port that is taken."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from instrec.cli import main
from instrec.models import classifier
from instrec.web import bound
from tests.tone_model import CARD, build


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tones.keras"
    classifier.save(path, build().model, CARD)
    return path


def test_it_says_where_it_is_and_ends_with_ctrl_c(model, tmp_path):
    command = [sys.executable, "-m", "instrec", "serve", "--port", "0", "--model", str(model)]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = process.stdout.readline().split()[0]
    with urlopen(address, timeout=20) as answer:
        assert b"Drop an audio file here" in answer.read()
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_only_this_machine_reaches_it():
    with bound(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_one_line(capsys, model):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port), "--model", str(model)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: port {port}: address already in use; choose another, or 0 for any: instrec serve --port 0\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8000.5"])
def test_what_is_no_port_is_one_line(capsys, port):
    assert main(["serve", f"--port={port}"]) == 2
    assert "expected a number within 0..65535" in capsys.readouterr().err


def test_without_a_model_there_is_no_page(capsys):
    assert main(["serve", "--port", "0", "--model", "none.keras"]) == 2
    assert "none.keras: no model there" in capsys.readouterr().err
