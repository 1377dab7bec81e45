"""Progress: a bar on a terminal; in a log a line at the start, one a minute and one at the end."""

from __future__ import annotations

import itertools
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from instrec.util import progress
from tests.miniature import environment


def test_in_a_log_lines_are_few_and_whole(capfd, monkeypatch):
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.2)
    for _ in progress.tqdm(range(50), desc="midi", unit="file"):
        time.sleep(0.01)
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert (out, err.count("\r")) == ("", 0)
    assert lines[0].startswith("midi: 0/50 file")
    assert lines[-1].startswith("midi: 50/50 file")
    assert 3 <= len(lines) <= 2 + 0.5 / 0.2 * 4  # a busy machine sleeps longer


def test_values_beside_it_cost_no_line(capfd):
    with progress.tqdm(total=9, initial=4, desc="train", unit="epoch") as bar:
        for epoch in range(4, 9):
            bar.set_postfix({"loss": epoch})
            bar.update()
    first, last = capfd.readouterr().err.splitlines()
    assert first.startswith("train: 4/9 epoch")
    assert last.startswith("train: 9/9 epoch")
    assert "loss=8" in last


def test_what_breaks_off_says_how_far_it_was(capfd):
    with pytest.raises(ValueError, match="broken"), progress.tqdm(total=9, desc="train", unit="epoch") as bar:
        bar.update(3)
        raise ValueError("broken")
    assert capfd.readouterr().err.splitlines()[-1].startswith("train: 3/9 epoch")


@pytest.mark.parametrize("disable", [True, None])
def test_what_is_for_terminals_alone_says_nothing(capfd, disable):
    assert list(progress.tqdm([1, 2], disable=disable)) == [1, 2]
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def built(miniature: Path, module_folder: Path) -> Path:
    return shutil.copytree(miniature, module_folder / "repository")


def test_the_pipeline_writes_a_short_log(miniature: Path) -> None:
    """Two lines for each bar and one per minute, and nothing else, such as TensorFlow's greetings."""
    said = miniature.with_suffix(".log").read_bytes().decode()  # as text, "\r" would become "\n"
    assert said.count("\r") == 0
    lines = re.findall(r"^(\w+): (\d+)/(\d+) \w+ \[(\d+):(\d+)<", said, re.MULTILINE)
    assert said.count("\n") == len(lines) + 2, said  # balance warns of a SoundFont, and counts what it has found
    bars = [list(bar) for _, bar in itertools.groupby(lines, key=lambda line: (line[0], line[2]))]
    assert len(bars) == 2 * 7 + 1  # synthesize and spectrograms have a bar for each split
    for bar in bars:
        (_, first, *_), (_, last, total, minutes, seconds) = bar[0], bar[-1]
        assert (first, last) == ("0", total)
        assert 2 <= len(bar) <= 2 + (60 * int(minutes) + int(seconds)) // progress.EVERY_SECONDS


def test_on_a_terminal_there_is_a_bar(built: Path) -> None:
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 80))
    with subprocess.Popen([sys.executable, "-m", "stages.spectrograms"], cwd=built, env=environment(), stderr=child):
        os.close(child)
        said = b""
        while True:
            try:
                said += os.read(parent, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
    os.close(parent)
    assert b"\r" in said
    assert b"100%|" in said
