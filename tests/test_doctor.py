import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tone_model import CARD, build

from instrec import classifier, doctor

PARAMS = Path(__file__).parent.parent / "params.yaml"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tones.keras"
    classifier.save(path, build().model, CARD)
    return path


def state(findings: list[doctor.Finding]) -> dict[str, tuple[str, str]]:
    return {each.what: (each.state, each.detail) for each in findings}


def test_what_is_there_is_found(model):
    found = state(doctor.examine(model, PARAMS))
    assert found["model"] == (doctor.THERE, f"{model} (3 classes)")
    for name in ("Python", "numpy", "keras", "Keras backend"):
        assert found[name][0] == doctor.THERE, found[name]
    assert found["GPU"][0] in (doctor.THERE, doctor.OPTIONAL)


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path):
    tree = yaml.safe_load(PARAMS.read_text())
    tree["soundfonts"]["unseen"] = "FluidR3_GM.sf2"
    tree["soundfonts"]["folders"] = [str(tmp_path)]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    (tmp_path / "corrupt.keras").write_bytes(b"no model")
    found = state(doctor.examine(tmp_path / "none.keras", tmp_path / "params.yaml"))
    assert found["model"][0] == doctor.MISSING
    assert "dvc repro" in found["model"][1]
    assert found["FluidR3_GM.sf2"][0] == doctor.MISSING
    assert "apt-get install fluid-soundfont-gm" in found["FluidR3_GM.sf2"][1]
    assert state(doctor.examine(tmp_path / "corrupt.keras", PARAMS))["model"][0] == doctor.MISSING


def test_a_typo_in_params_is_a_finding(tmp_path, model):
    (tmp_path / "params.yaml").write_text("sed: 1\n")
    found = state(doctor.examine(model, tmp_path / "params.yaml"))
    assert found["SoundFonts"][0] == doctor.MISSING
    assert "did you mean seed" in found["SoundFonts"][1]


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
