"""Where nothing answers or a file is damaged, the mirror costs one line."""

from __future__ import annotations

import socket
import time

import pytest

from tests.tracking.mlflow.mirroring import (
    assert_one_warning,
    mirror,
)


def test_a_image_that_cannot_be_drawn_costs_one_line(root, parameters, capfd):
    (root / "metrics/plots/f1_unseen_clean.csv").write_text("class\nviolin\n")
    mirror(parameters)
    assert_one_warning(capfd)


def test_an_unreachable_server_costs_one_line_and_seconds(root, parameters, monkeypatch, capfd):
    with socket.socket() as taken:  # bound but not listening: refuses every connection
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        start = time.monotonic()
        mirror(parameters)
    assert time.monotonic() - start < 20
    assert "Connection refused" in assert_one_warning(capfd)


def test_a_silent_server_costs_one_line_and_seconds(root, parameters, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        start = time.monotonic()
        mirror(parameters)
    assert time.monotonic() - start < 20
    assert_one_warning(capfd)


@pytest.mark.parametrize("address", ["file:///nowhere/mlruns", "carrier-pigeon://loft"])
def test_an_address_that_mlflow_refuses_costs_one_line(root, parameters, monkeypatch, capfd, address):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mirror(parameters)
    assert_one_warning(capfd)


def test_a_damaged_store_or_history_costs_one_line(root, parameters, capfd):
    (root / "models/history.csv").rename(root / "history.csv")
    mirror(parameters)
    assert_one_warning(capfd)
    assert not (root / "mlflow.db").exists()  # no half a run
    (root / "history.csv").rename(root / "models/history.csv")
    (root / "mlflow.db").write_text("not a database")
    mirror(parameters)
    assert_one_warning(capfd)
