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
from instrec.web import bound
from tests.refusals import assert_one_line


def test_it_says_where_it_is_and_ends_with_ctrl_c(tones, tmp_path):
    command = [sys.executable, "-m", "instrec", "serve", "--port", "0", "--model", str(tones)]
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


def test_a_port_in_use_is_one_line(capsys, tones):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port), "--model", str(tones)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_line(err, f"port {port}", "instrec serve --port 0")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8000.5"])
def test_what_is_no_port_is_one_line(capsys, port):
    assert main(["serve", f"--port={port}"]) == 2
    assert_one_line(capsys.readouterr().err, "--port", "0..65535")


def test_without_a_model_there_is_no_page(capsys):
    assert main(["serve", "--port", "0", "--model", "none.keras"]) == 2
    assert_one_line(capsys.readouterr().err, "none.keras", "`dvc repro`")
