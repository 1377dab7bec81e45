"""What reaches a terminal or a log: no password, whoever's message it is in, and no control over the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from instrec import errors, params
from instrec.cli import main
from instrec.corpus.published import downloads
from instrec.errors import UserError, masked, one_line, shown
from instrec.tracking import gate
from instrec.tracking.gate import commits
from instrec.tracking.mlflow import registry, runs
from instrec.util.parallel import ordered_map

ROOT = Path(__file__).parents[1]
SECRET = "s3cretive"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://me:s3cretive@host:80/x", "http://***@host:80/x"),
        ("see 'postgresql+psycopg2://me:s3cretive@db/x', please", "see 'postgresql+psycopg2://***@db/x', please"),
        ("https://s3cretive@host", "https://***@host"),
        ("ssh://git@github.example/git", "ssh://***@github.example/git"),
        ("http://me:s3@cretive@host/", "http://***@host/"),
        ("http://me:s3/cre?ti#ve@host/", "http://***@host/"),
        ("a://me:s3cretive@b, c://me:s3cretive@d", "a://***@b, c://***@d"),
        ("https://host/f?X-Amz-Signature=s3cretive&part=2", "https://host/f?X-Amz-Signature=***&part=2"),
        ("https://host/f?part=2&access_token=s3cretive", "https://host/f?part=2&access_token=***"),
        ("https://host/f?token=s3cretive', which", "https://host/f?token=***', which"),
        ("{'Authorization': 'Bearer s3cretive'}", "{'Authorization': 'Bearer ***'}"),
    ],
)
def test_a_secret_is_hidden_and_the_rest_stays(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:5000/a@b",
        "http://[::1]:5000/a@b",
        "https://host/page?mail=me@example.org",
        "tcp://127.0.0.1:8786",
        "sqlite:///mlflow.db",
        "models:/instrec@champion",
        "me@example.org",
        "Basic training of 12 epochs",
    ],
)
def test_what_holds_no_secret_stays(text):
    assert masked(text) == text


@pytest.mark.parametrize("password", ["s3cretive", "s3 cre'tive", "12/34567", "per%20cent%40", "a@b/c:d"])
def test_the_password_of_a_server_is_hidden_wherever_it_stands(password, monkeypatch):
    """Libraries decode it, and take what is behind a slash for another part of the address."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{password}@host")
    assert masked(f"wrong: {password} or {unquote(password)}.") == "wrong: *** or ***."
    assert password not in masked(f"http://me:{password}@host: cannot be reached")


def test_a_token_of_the_environment_is_hidden(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cretive")
    assert masked("refused: s3cretive") == "refused: ***"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("caf\xe9 日本\u3000.wav", "caf\xe9 日本\u3000.wav"),
        (os.fsdecode(b"caf\xe9.wav"), "caf\\xe9.wav"),
        ("\x1b[31mred\x07.wav", "\\x1b[31mred\\x07.wav"),
        ("\x9b31m\x85\x7f\r\n", "\\x9b31m\\x85\\x7f\\r\\n"),
        ("gnp\u202e\u2066.wav", "gnp\\u202e\\u2066.wav"),
        (Path("a/\ud800"), "a/\\ud800"),
    ],
)
def test_a_name_cannot_steer_the_terminal(name, expected):
    assert shown(name) == expected


def test_a_message_is_one_line(capsys):
    error = UserError("file-empty", "\x1b]0;title\x07.wav", "broken\n  at http://me:s3cretive@host\r\n\treplace it")
    assert one_line(error) == "\\x1b]0;title\\x07.wav: broken at http://***@host replace it"
    assert errors.told(error) == 2
    assert capsys.readouterr() == ("", f"error: {one_line(error)}\n")


NAME = "\x1b[2J\u202e"


@pytest.mark.parametrize(
    "command",
    [
        ["predict", f"{NAME}.wav"],
        ["predict", "song.wav", f"--{NAME}"],
        [NAME],
        ["evaluate", NAME],
        ["dev", "gate", NAME],
        ["dev", "card", "--facts", NAME],
        ["doctor", "--params", NAME, "--model", NAME],
    ],
)
def test_a_name_on_the_command_line_is_shown_escaped(command, capfd):
    assert main(command) == 2
    said = "".join(capfd.readouterr())
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "x1b[2J" in said


def mirror(address: str, folder: Path) -> None:
    parameters = params.load(ROOT / "params.yaml")
    (folder / "history.csv").write_text("epoch,loss\n1,0.5\n")
    with errors.log_to_stderr():
        runs.mirror(parameters, folder / "history.csv", {}, folder, inputs={})


def register(address: str, folder: Path) -> None:
    with registry._told():
        runs.store()


def wrong_params(address: str, folder: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    assert 'cluster: ""' in text
    (folder / "params.yaml").write_text(text.replace('cluster: ""', f"cluster: [{address}]"))
    params.load(folder / "params.yaml")


def differences(address: str, folder: Path) -> None:
    print(*gate.differences({"cluster": address}, {"cluster": f"{address}/other"}))


PLACES: Mapping[str, Callable[[str, Path], object]] = {
    "the mirror": mirror,
    "the registry": register,
    "the cluster": lambda address, _: list(ordered_map(abs, [1], cluster=address)),
    "a download": lambda address, folder: downloads.fetch(address, folder / "a.zip", "0" * 32, corpus="irmas"),
    "a signed download": lambda address, folder: downloads.fetch(
        f"http://127.0.0.1:9/a.zip?token={SECRET}", folder / "a.zip", "0" * 32, corpus="irmas"
    ),
    "the gate's base": lambda address, folder: commits.resolve(folder, address),
    "the gate's page": differences,
    "params": wrong_params,
}
ADDRESSES = [
    f"http://me:{SECRET}@127.0.0.1:9",
    f"http://{SECRET}@127.0.0.1:9",
    f"http://me:{SECRET}/{SECRET}@127.0.0.1:9",
    f"http://me:@{SECRET}@127.0.0.1:port",
    f"carrier-pigeon://me:{SECRET}@loft",
    f"postgresql://me:{SECRET}@127.0.0.1:9/db",
    f"file://me:{SECRET}@nowhere/mlruns",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("place", PLACES)
def test_no_place_prints_a_password(place, address, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address if place in ("the mirror", "the registry") else "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    try:
        PLACES[place](address, tmp_path)
    except UserError as error:
        errors.told(error)
    said = "".join(capfd.readouterr())
    assert said  # it does fail, and says so
    assert SECRET not in said


def test_a_message_has_an_end() -> None:
    """The cell of a damaged table may be a megabyte."""
    line = one_line(f"table.csv: {'x' * 1_000_000}; run dvc repro")
    assert len(line) < 2000
    assert line.startswith("table.csv: x")
    assert line.endswith("; run dvc repro")
