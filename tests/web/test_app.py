"""What the server answers, asked over the loopback."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from tests.tone_model import RATE, silence, tone, written
from tests.web.serving import held, wait_for


@pytest.fixture
def music(tmp_path) -> bytes:
    return written(tmp_path, tone("violin", 3), silence(2), tone("flute", 3), name="music.flac").read_bytes()


def asked(address: str, method: str, path: str, body: bytes | None = None, **headers: str):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def said(address: str, body: bytes) -> list[dict]:
    status, _, text = asked(address, "POST", "/timeline", body)
    assert status == 200
    return [json.loads(line) for line in text.splitlines()]


def wait_until_empty(folder: Path) -> None:
    wait_for(lambda: not held(os.getpid(), f"{folder}/"))
    assert not any(folder.iterdir())


def test_a_sound_is_answered_with_its_timeline(address, uploads, music):
    *progress, last = said(address, music)
    assert [each["seconds"] for each in progress] == [5.0, 8.0]
    rows = dict(re.findall(r'<th scope="row">(.*?)</th>.*?data-seconds="(.*?)"', last["html"], flags=re.DOTALL))
    assert rows == {"violin": "0.0", "flute": "5.0"}
    assert 'data-duration="8.0"' in last["html"]
    assert "0:05.0\u20130:08.0" in last["html"]
    wait_until_empty(uploads)


def test_a_long_sound_tells_how_far_it_is(address, tmp_path):
    path = written(tmp_path, silence(17), name="long.flac")
    assert [each["seconds"] for each in said(address, path.read_bytes())[:-1]] == [5.0, 10.0, 15.0, 17.0]


def test_a_file_that_is_cut_off_is_said_to_be(address, music):
    assert "cut off" in said(address, music[: len(music) // 2])[-1]["html"]
    assert "cut off" not in said(address, music)[-1]["html"]


def test_silence_is_answered_too(address, tmp_path):
    last = said(address, written(tmp_path, silence(2)).read_bytes())[-1]
    assert "Silent: nothing sounds." in last["html"]
    assert "When they sound" not in last["html"]
    assert "red line" not in last["html"]


def test_what_comes_nearest_is_named_where_nothing_is_found(address, tmp_path):
    y = np.sin(2 * np.pi * 7000 * np.arange(2 * RATE) / RATE).astype(np.float32)  # no tone of the model's
    last = said(address, written(tmp_path, 0.1 * y).read_bytes())[-1]
    assert re.search(r">Nothing reaches its threshold; nearest: \w+ 0\.\d\d\.<", last["html"])


def test_a_form_is_refused_with_the_way_to_send_a_file(address, uploads, music):
    form = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + music + b"\r\n--b--\r\n"
    status, _, text = asked(address, "POST", "/timeline", form, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert status == 415
    assert "--data-binary" in json.loads(text)["error"]
    wait_until_empty(uploads)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty"),
        (b"no audio\n" * 40, "not an audio file that can be decoded"),
        (b"RIFF\0\0\0\0WAVEfmt ", "decoded"),
        (b"#EXTM3U\n/etc/passwd\n", "not an audio file that can be decoded"),
    ],
)
def test_what_is_no_sound_is_one_line_without_a_path(address, uploads, body, message):
    (last,) = said(address, body)
    assert message in last["error"]
    assert "/" not in last["error"]
    wait_until_empty(uploads)


def test_samples_that_are_no_numbers_are_told_of(address, tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    assert "not numbers" in said(address, (tmp_path / "nan.wav").read_bytes())[-1]["error"]


def test_too_long_a_file_is_refused_before_it_is_sent(address, uploads):
    connection = socket.create_connection(urlsplit(address).netloc.split(":"), timeout=20)
    connection.sendall(f"POST /timeline HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\n"
                       "Content-Length: 1000001\r\n\r\n".encode())  # fmt: skip
    answer = connection.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "more than 1 MB" in connection.recv(4096).decode() or "more than 1 MB" in answer
    wait_until_empty(uploads)


def test_a_length_that_is_not_told_is_no_way_around_the_limit(address, uploads):
    parts = (bytes(300_000) for _ in range(4))
    status, _, text = asked(address, "POST", "/timeline", parts)
    assert status == 413
    assert "more than 1 MB" in json.loads(text)["error"]
    wait_until_empty(uploads)


def test_whoever_leaves_while_it_listens_is_not_worked_for(address, uploads, tmp_path, music):
    long = written(tmp_path, np.zeros(3600 * 8000, np.float32), name="hour.flac", rate=8000).read_bytes()
    assert len(long) < 1e6
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request("POST", "/timeline", long)
    assert json.loads(connection.getresponse().readline())["seconds"] == 5.0
    connection.close()
    connection.sock = None
    wait_until_empty(uploads)
    assert "violin" in said(address, music)[-1]["html"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_a_name_that_only_points_here_is_turned_away(address, host):
    for method, path in (("GET", "/"), ("POST", "/timeline")):
        status, _, text = asked(address, method, path, b"", Host=host)
        assert status == 400
        assert "instrument" not in text


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1", "https://{netloc}", "null"])
def test_pages_of_other_origins_are_turned_away(address, uploads, origin, music):
    origin = origin.format(netloc=urlsplit(address).netloc)
    status, _, text = asked(address, "POST", "/timeline", music, Origin=origin)
    assert (status, json.loads(text)) == (403, {"error": "This page may not ask."})
    wait_until_empty(uploads)


def test_its_own_pages_may_ask(address, music):
    status, _, text = asked(address, "POST", "/timeline", music, Origin=address)
    assert status == 200
    assert "violin" in text


def test_the_page_loads_nothing_from_elsewhere(address):
    for path in ("/", "/web.css", "/web.js"):
        status, headers, text = asked(address, "GET", path)
        assert status == 200
        assert not re.search(r"https?://", text)
        assert headers["content-security-policy"].startswith("default-src 'none';")
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/nothing", "/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd"])
def test_no_other_file_is_given(address, path):
    assert asked(address, "GET", path)[0] == 404
