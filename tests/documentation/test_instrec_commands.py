"""The commands of `instrec` that pages show, with a model of the miniature pipeline."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from instrec.cli import main
from tests import documented
from tests.documentation.pages import DOCTOR, EXPORTS, PREDICTIONS, ROOT, TABLES, TEXTS, blocks
from tests.tone_model import RATE, tone

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def project(miniature: Path, module_folder: Path) -> Path:
    """A repository with a model, a song, and a folder of recordings as docs/evaluate.md has one."""
    folder = shutil.copytree(miniature, module_folder / "repository")
    shutil.copytree(ROOT / "recipes", folder / "recipes", dirs_exist_ok=True)
    for name in ("song.wav", "my_recordings/violin/a.wav", "my_recordings/Harp/harp.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.float32(tone("violin", 4)), RATE)
    (folder / "my_recordings/violin/notes.txt").touch()
    return folder


def run(command: str) -> int:
    """Run one of `instrec` as a shell would, but in this process, which has Keras loaded already."""
    words = shlex.split(command)[1:]
    return main([each for word in words for each in (map(str, sorted(Path().glob(word))) if "*" in word else [word])])


@pytest.mark.parametrize("command", [*PREDICTIONS, *TABLES])
def test_it_runs(command: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(project)
    assert run(command) == 0
    assert capsys.readouterr().out


def test_an_exported_model_names_instruments_without_this_package(project: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(project)
    for command in EXPORTS[:3]:
        assert run(command) == 0
    assert Path("phone/instruments.tflite").stat().st_size > 100_000
    shutil.copytree(ROOT / "examples", "examples", dirs_exist_ok=True)
    subprocess.run([sys.executable, *shlex.split(EXPORTS[3])[1:]], check=True)
    shutil.copy("phone/instruments.tflite", "classifier.tflite")
    for program in documented.programs("export.md"):
        subprocess.run([sys.executable, "-c", program], check=True)
    assert "violin" in capfd.readouterr().out


def test_evaluate_lists_what_it_leaves_out_as_documented(project, monkeypatch, capsys) -> None:
    monkeypatch.chdir(project)
    run("instrec evaluate my_recordings")
    left_out = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert left_out == [line.strip() for line in TEXTS["docs/evaluate.md"].splitlines() if "    left out: " in line]


def test_doctor_checks_all_that_is_documented(project, monkeypatch, capsys) -> None:
    monkeypatch.chdir(project)
    run(f"{DOCTOR} --params {ROOT}/params.yaml")  # the miniature does with fewer SoundFonts
    found = re.findall(r"^\w+ +(.*?)  ", capsys.readouterr().out, re.MULTILINE)
    (block,) = [block for block in blocks(TEXTS["docs/install.md"]) if block.startswith(f"$ {DOCTOR}")]
    assert set(re.findall(r"^(?!\$)\w+ +(.*?)  ", block, re.MULTILINE)) <= set(found)
