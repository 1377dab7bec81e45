import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import keras
import pytest
import yaml

from instrec.cli import doctor

PARAMS = Path(__file__).parents[2] / "params.yaml"


def state(findings: list[doctor.Finding]) -> dict[str, tuple[str, str]]:
    return {each.what: (each.state, each.detail) for each in findings}


def test_what_is_there_is_found(tones):
    found = state(doctor.examine(tones, PARAMS))
    assert found["model"] == (doctor.THERE, f"{tones} (3 classes)")
    for name in ("Python", "numpy", "keras", "Keras backend"):
        assert found[name][0] == doctor.THERE, found[name]
    assert found["mirdata"][0] in (doctor.THERE, doctor.OPTIONAL)
    assert found["GPU"][0] in (doctor.THERE, doctor.OPTIONAL)


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path):
    tree = yaml.safe_load(PARAMS.read_text())
    tree["soundfonts"]["folders"] = [str(tmp_path)]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    (tmp_path / "corrupt.keras").write_bytes(b"no model")
    found = state(doctor.examine(tmp_path / "none.keras", tmp_path / "params.yaml"))
    assert found["model"][0] == doctor.MISSING
    assert "dvc repro" in found["model"][1]
    assert found["FluidR3_GM.sf2"][0] == doctor.MISSING
    assert "apt-get install fluid-soundfont-gm" in found["FluidR3_GM.sf2"][1]
    assert state(doctor.examine(tmp_path / "corrupt.keras", PARAMS))["model"][0] == doctor.MISSING


def test_a_cut_off_soundfont_is_not_taken_for_a_whole_one(tmp_path, tones):
    tree = yaml.safe_load(PARAMS.read_text())
    tree["soundfonts"]["folders"] = [str(tmp_path)]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    name = tree["soundfonts"]["unseen"]
    (tmp_path / name).write_bytes(b"RIFF" + (5000).to_bytes(4, "little") + b"sfbk" + bytes(100))
    state_, detail = state(doctor.examine(tones, tmp_path / "params.yaml"))[name]
    assert state_ == doctor.MISSING
    assert "cut off" in detail


@pytest.mark.parametrize(
    ("content", "told"),
    [("sed: 1\n", "did you mean seed"), ("a: [", "cannot be read"), (None, "is not there")],
)
def test_params_that_cannot_be_used_are_a_finding_of_one_line(tmp_path, tones, content, told):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_text(content)
    state_, detail = state(doctor.examine(tones, path))["params"]
    assert state_ == doctor.MISSING
    assert told in detail
    assert "\n" not in detail


def test_it_works_without_keras_and_fluidsynth(tmp_path):
    """As on a fresh machine: neither can be imported, and the library is not found."""
    (tmp_path / "model.keras").touch()
    code = (
        "import sys, ctypes.util; sys.modules.update(keras=None, tensorflow=None, fluidsynth=None);"
        "ctypes.util.find_library = lambda name: None;"
        "from instrec.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "doctor",
        "--model",
        str(tmp_path / "model.keras"),
        "--params",
        str(PARAMS),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    lines = {line.split()[1]: line for line in result.stdout.splitlines()}
    assert lines["FluidSynth"].startswith("missing")
    assert "libfluidsynth3" in lines["FluidSynth"]
    assert lines["model"].startswith("missing")


def test_outside_of_the_project_the_pipeline_is_not_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = state(doctor.examine(None, Path("params.yaml")))
    assert "FluidSynth" not in found
    assert found["onnxruntime"][0] == doctor.THERE
    assert found["model"][1].endswith("classifier.onnx (15 classes)")


def test_a_gpu_that_keras_cannot_use_is_named_with_the_command_that_mends_it(tmp_path, monkeypatch):
    """In place of the driver stands what answers as it does."""
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho NVIDIA H100 80GB HBM3\necho NVIDIA H100 80GB HBM3\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [])
    state_, detail = state(doctor.examine(None, tmp_path / "params.yaml"))["GPU"]
    assert state_ == doctor.OPTIONAL
    assert detail.startswith(
        "NVIDIA H100 80GB HBM3, NVIDIA H100 80GB HBM3 is there, but Keras cannot use it: pip install"
    )
    assert f"'tensorflow[and-cuda]=={version('tensorflow')}'" in detail
