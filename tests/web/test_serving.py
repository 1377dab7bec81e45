"""A server as a process: whoever is slow, leaves, fills the disk or ends it leaves no traceback and no upload."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.tone_model import tone, written
from tests.web.serving import Serving, serving, wait_for

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Serving]:
    """Serve with a second's patience."""
    with serving(tmp_path_factory.mktemp("patient"), patience=1.0) as one:
        yield one


@pytest.fixture
def server(running) -> Iterator[Serving]:
    """Return the server, and see that it still serves and has nothing to say of what the test did."""
    running.written.write_text("")
    yield running
    wait_for(lambda: running.holds() == 0)
    wait_for(lambda: answers(running))
    assert running.complaints == ""
    assert list(running.uploads.iterdir()) == []


def answers(running: Serving) -> bool:
    """Whether it answers; right after very many connections the system may still turn one away."""
    try:
        with running.send(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n") as connection:
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> bytes:
    return written(tmp_path_factory.mktemp("short"), tone("violin", 2), name="short.flac").read_bytes()


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> bytes:
    """Twelve hours of silence, which take longer than any of these tests."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(12):
            file.write(np.zeros(3600 * 8000, np.int16))
    return path.read_bytes()


def asked(server: Serving, body: bytes, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=20)
    connection.request("POST", "/timeline", body, headers)
    return connection.getresponse()


def answer(connection: socket.socket) -> str:
    """Read until the server hangs up."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}], ids=["kept", "closed"])
def test_a_full_disk_is_told(server, headers):
    with server.full_disk():
        told = asked(server, bytes(3_000_000), **headers)
        assert told.status == 507
        error = json.load(told)["error"]
    assert "file too large" in error
    assert f"{server.uploads}" in error
    assert "TMPDIR" in error


def test_after_a_full_disk_the_next_file_is_answered(server, short):
    with server.full_disk():
        assert asked(server, bytes(1_000_000)).status == 507
        assert b"violin" in asked(server, short).read()


@pytest.mark.parametrize("length", [0, 5_000])
def test_a_client_that_leaves_while_sending(server, length):
    connection = server.send(server.post("Content-Length: 900000") + bytes(length))
    wait_for(lambda: server.holds() == 1)
    connection.close()


def test_a_client_that_resets_the_connection(server):
    connection = server.send(server.post("Content-Length: 900000") + bytes(5_000))
    wait_for(lambda: server.holds() == 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_a_client_that_leaves_while_it_is_worked_for(server, long):
    told = asked(server, long)
    assert json.loads(told.readline()) == {"seconds": 5.0}
    told.close()


@pytest.mark.parametrize(
    "chunks", [b"xyz\r\n", b"5\r\nabc", b"-1\r\n\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"\0" * 99_000]
)
def test_bad_chunks(server, chunks):
    with server.send(server.post("Transfer-Encoding: chunked") + chunks) as connection:
        assert " 40" in answer(connection).splitlines()[0]


def test_bad_chunks_behind_an_answer(server):
    head = server.post("Transfer-Encoding: chunked", "Origin: http://evil.example")
    with server.send(head + b"3\r\nabc\r\n") as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 403")
        connection.sendall(b"xyz\r\n")
        answer(connection)


def test_heads_that_do_not_end_are_hung_up_on(server):
    started = time.monotonic()
    heads = [b"", b"P", server.post()[:-2], b"GET / HTTP/1.1\r\nHost: localhost\r\n"]
    slow = [server.send(heads[number % len(heads)]) for number in range(20)]
    with server.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET") as second:  # an answer, then half a head
        while time.monotonic() < started + 0.8:
            for connection, head in zip(slow, heads * 5, strict=True):
                connection.sendall(b"X: y\r\n" if head.endswith(b"\n") else b"")
            time.sleep(0.1)
        for connection in (*slow, second):
            answer_or_reset(connection)
            connection.close()
    assert 0.9 < time.monotonic() - started < 6


def answer_or_reset(connection: socket.socket) -> str:
    try:
        return answer(connection)
    except ConnectionResetError:  # what was sent last has not been read
        return ""


def test_a_body_that_drips_is_refused(server):
    started = time.monotonic()
    with server.send(server.post("Content-Length: 900000")) as connection:
        connection.setblocking(False)
        told = b""
        while not told:
            assert time.monotonic() < started + 6
            connection.send(b"x")
            time.sleep(0.05)
            try:
                told = connection.recv(4096)
            except BlockingIOError:
                continue
    assert told.startswith(b"HTTP/1.1 408")
    assert b"slowly" in told


def test_a_body_that_takes_longer_but_flows_is_taken(server, short):
    rest = memoryview(short)
    with server.send(server.post(f"Content-Length: {len(short) + 60_000}", "Connection: close")) as connection:
        connection.sendall(rest)
        for _ in range(12):
            time.sleep(0.15)
            connection.sendall(bytes(5_000))
        assert "HTTP/1.1 200" in answer(connection)


def test_a_body_that_drips_behind_a_refusal_is_hung_up_on(server):
    head = server.post("Content-Length: 900000", "Origin: http://evil.example")
    with server.send(head) as connection, pytest.raises(ConnectionError):
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            connection.sendall(b"x")
            time.sleep(0.05)


def test_a_client_that_does_not_read_is_hung_up_on(server):
    before = server.sockets()
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.5)
        with suppress(OSError):  # until nothing more is taken; the client may learn much later why
            for _ in range(200_000):  # answers that nobody reads
                connection.sendall(b"GET /web.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: server.sockets() <= before, seconds=6)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_are_turned_away_though_they_name_no_origin(server, short, site):
    assert asked(server, short, **{"Sec-Fetch-Site": site}).status == 403


def test_its_own_page_is_not_turned_away(server, short):
    assert asked(server, short, **{"Sec-Fetch-Site": "same-origin"}).status == 200


def test_a_short_file_does_not_wait_for_a_long_one(server, long, short):
    slow = asked(server, long)
    assert b"violin" in asked(server, short).read()
    slow.close()


def test_who_waits_is_told_how_many_are_ahead(server, long, short):
    slow = [asked(server, long), asked(server, long)]
    for each in slow:
        assert "seconds" in json.loads(each.readline())
    third, fourth, fifth = asked(server, short), asked(server, short), asked(server, short)
    assert [json.loads(each.readline()) for each in (third, fourth, fifth)] == [{"ahead": n} for n in (2, 3, 4)]
    fourth.close()  # it is not worked for, and the fifth moves up
    assert json.loads(fifth.readline()) == {"ahead": 3}
    slow.pop().close()
    assert b"violin" in third.read()
    assert b"violin" in fifth.read()
    slow.pop().close()


def test_the_page_tells_of_both(server, browser, tmp_path, long, short):
    files = {"long.flac": long, "short.flac": short, "big.wav": bytes(3_000_000)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(server.address)
        with server.full_disk():
            tab.set_input_files("#file", tmp_path / "big.wav")
            expect(tab.locator("#error")).to_contain_text("file too large")
        slow = [asked(server, long), asked(server, long)]
        for each in slow:
            each.readline()
        tab.set_input_files("#file", tmp_path / "short.flac")
        expect(tab.locator("#state")).to_contain_text("2 files ahead")
        for each in slow:
            each.close()
        expect(tab.locator("#result")).to_be_visible(timeout=20_000)
        tab.set_input_files("#file", tmp_path / "long.flac")
        expect(tab.locator("#state")).to_contain_text("Analyzing: ")  # the tab is closed then


def test_more_connections_than_there_is_room_for(server):
    many = [server.connect() for _ in range(450)]
    time.sleep(0.2)
    assert server.process.poll() is None
    for connection in many:
        connection.close()


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ([signal.SIGINT], 0),
        ([signal.SIGINT] * 3, None),
        ([signal.SIGTERM], -signal.SIGTERM),
        ([signal.SIGHUP], -signal.SIGHUP),
        ([signal.SIGKILL], -signal.SIGKILL),
    ],
    ids=["INT", "INT INT INT", "TERM", "HUP", "KILL"],
)
def test_its_end_leaves_no_upload_and_no_traceback(tmp_path: Path, long, signals, code):
    with serving(tmp_path) as one:
        working = [asked(one, long) for _ in range(3)]
        sending = one.send(one.post("Content-Length: 900000") + bytes(5_000))
        wait_for(lambda: one.holds() >= 4)
        for number in signals:
            one.process.send_signal(number)
            time.sleep(0.15)
        ended = one.process.wait(timeout=20)
        assert code is None or ended == code
        assert one.complaints == ""
        assert list(one.uploads.iterdir()) == []
        for response in working:
            response.close()
        sending.close()
