"""Which model a command takes: the one named, trained here, or released; or else a line that says how to get one."""

import json
import shutil
import subprocess
from pathlib import Path

import onnxruntime
import pytest

import instrec
from instrec.cli import main
from instrec.models.released import FACTS, NAMES, PACKAGED, RELEASED, TRAINED, choose, original
from instrec.util.files import md5
from tests.refusals import assert_one_line
from tests.tone_model import RATE, tone, written


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, tone("violin", 2), rate=RATE)
    return tmp_path


def put(model: Path, path: Path) -> None:
    path.parent.mkdir()
    shutil.copy(model, path)


def test_the_released_model_is_used_and_named_where_none_was_trained(folder, capsys):
    (folder / "dvc.yaml").touch()
    assert main(["predict", "music.wav", "--json", "--threshold", "0"]) == 0
    out, err = capsys.readouterr()
    assert '"violin"' in out
    assert err == f"{TRAINED} is not there; the released model is used\n"


def test_outside_of_the_project_nothing_is_said(folder, capsys):
    assert choose(None) == PACKAGED
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_package_has_the_released_models(repository, name):
    about = onnxruntime.InferenceSession(PACKAGED.with_stem(name)).get_modelmeta().custom_metadata_map
    facts = json.loads((repository / FACTS.with_stem(original(name).stem)).read_text())
    assert about["model_md5"] == facts["model"]["md5"] == md5(repository / original(name))
    assert facts["model"]["bytes"] <= 5e6
    packaged = PACKAGED.with_stem(name)
    assert packaged.with_suffix(".md5").read_text() == f"{md5(packaged)}  {packaged.name}\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_released_model_is_known_by_its_name_whatever_was_trained(folder, tones, name, capsys):
    put(tones, TRAINED)
    assert choose(Path(name)) == PACKAGED.with_stem(name)
    assert choose(Path(name), RELEASED) == original(name)
    assert main(["predict", "music.wav", "--json", "--threshold", "0", "--model", name]) == 0
    result = json.loads(capsys.readouterr().out)
    model = instrec.load_model(name)
    assert instrec.load_model(name) is model
    assert {each["name"] for each in result["instruments"]} <= set(model.classes)


def test_the_default_one_is_among_them():
    assert RELEASED.stem in NAMES
    assert instrec.load_model() is instrec.load_model(RELEASED.stem)


def test_a_trained_model_comes_first_and_a_named_one_before_it(folder, tones, capsys):
    put(tones, TRAINED)
    put(tones, RELEASED)
    assert choose(None) == choose(None, RELEASED) == TRAINED
    assert choose(Path("other.keras")) == Path("other.keras")
    assert choose(RELEASED) == RELEASED
    assert capsys.readouterr().err == ""


def test_without_any_the_next_commands_are_named(folder, capsys):
    assert main(["export", "--format", "onnx"]) == 2
    err = capsys.readouterr().err
    assert_one_line(err, TRAINED, RELEASED, f"`git checkout {RELEASED}`", "`dvc repro`", "--model", PACKAGED)


def test_a_named_model_that_is_missing_is_not_replaced(folder, tones, capsys):
    put(tones, RELEASED)
    assert main(["predict", "music.wav", "--model", str(TRAINED)]) == 2
    assert_one_line(capsys.readouterr().err, TRAINED)


def test_doctor_knows_it(folder, capsys):
    main(["doctor"])
    assert f"{PACKAGED} (15 classes)" in capsys.readouterr().out


def test_a_fresh_clone_has_it(repository, tmp_path, capsys, monkeypatch):
    """And `git checkout`, as the error names it, brings it back."""
    subprocess.run(["git", "clone", "--quiet", repository, tmp_path / "clone"], check=True)
    (tmp_path / "clone" / RELEASED).unlink()
    subprocess.run(["git", "checkout", "--quiet", RELEASED], cwd=tmp_path / "clone", check=True)
    monkeypatch.chdir(tmp_path / "clone")
    music = written(tmp_path, tone("violin", 4), rate=RATE)
    assert main(["predict", str(music), "--json", "--threshold", "0", "--model", str(RELEASED)]) == 0
    assert '"violin"' in capsys.readouterr().out
