"""`import instrec`: predict, load_model, Prediction and its forms, errors; and what all that does not load."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import instrec
from tests import tone_model
from tests.tone_model import RATE, silence, tone, written

HEAVY = (
    "tensorflow",
    "keras",
    "librosa",
    "pandas",
    "matplotlib",
    "dvc",
    "scipy",
    "pydantic",
    "h5py",
    "sklearn",
    "yaml",
)


@pytest.fixture(scope="module")
def model() -> instrec.Model:
    return tone_model.model()


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return np.concatenate([tone("flute", 3), silence(2), tone("violin", 2)])


@pytest.fixture(scope="module")
def prediction(model, sound) -> instrec.Prediction:
    return instrec.predict(sound, RATE, model=model)


def test_an_array_is_heard_as_its_file(model, sound, prediction, tmp_path):
    path = written(tmp_path, sound, subtype="FLOAT")
    for given in (path, str(path)):
        from_file = instrec.predict(given, model=model)
        assert from_file.to_dict() == prediction.to_dict() | {"file": str(path)}
    assert [each.name for each in prediction.instruments] == ["flute", "violin"]


def test_a_threshold_and_a_hop(model, sound):
    assert len(instrec.predict(sound, RATE, model=model, threshold=0.0).instruments) == 3
    assert instrec.predict(sound, RATE, model=model, hop_seconds=1.0).activations.hop == model.hop(1.0)


def test_the_released_model_is_read_once():
    assert instrec.load_model() is instrec.load_model()
    assert "piano" in instrec.load_model().classes


def test_the_forms_of_a_prediction(prediction, tmp_path):
    assert prediction.timeline.shape == (len(prediction.times), len(prediction.classes)) == (70, 3)
    assert prediction.times[:2] == pytest.approx([0.05, 0.15])
    table = prediction.to_dataframe()
    assert table.instrument.tolist() == ["flute", "violin"]
    assert table.start.tolist() == [0.0, 5.0]
    (annotation,) = prediction.to_jams()["annotations"]
    assert [each["value"] for each in annotation["data"]] == ["flute", "violin"]
    assert json.loads(json.dumps(prediction.to_dict()))["instruments"][0]["name"] == "flute"
    figure = prediction.plot(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert len(prediction.plot().axes) == len(figure.axes) == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("none.wav",), r"none\.wav: "),
        ((np.zeros(9),), "an array needs its own"),
        ((np.zeros(9), RATE, "none.onnx"), r"none\.onnx: no model there"),
        ((np.zeros(9), "16000"), "sample_rate='16000': an array needs its own"),
        (([0.0] * 9, RATE), "sound of type list: allowed are a path and a NumPy array"),
        ((None,), "sound of type NoneType"),
        ((np.zeros(9), RATE, 5), "model of type int: allowed are a file and a name"),
    ],
)
def test_errors_are_the_librarys_own(given, reason):
    sound, rate, model = (*given, None, None)[:3]
    with pytest.raises(instrec.InstrecError, match=reason):
        instrec.predict(sound, rate, model=model)


@pytest.mark.parametrize("value", [-1.0, 9.0, float("nan"), "0.5", {"flute": 0.5}])
def test_values_out_of_range_or_of_another_type(model, value):
    for name, reason in (("threshold", "threshold=.* within 0..1"), ("hop_seconds", "hop of .* 0.1 to 1")):
        with pytest.raises(instrec.InstrecError, match=reason):
            instrec.predict(np.zeros(9), RATE, model=model, **{name: value})


def test_what_an_interpreter_shows_is_short(prediction, model):
    assert repr(prediction) == "<Prediction of 'sound', 0:07: flute 1.00, violin 1.00>"
    assert repr(model) == "<Model of 3 classes, 1 s at 16000 Hz>"
    assert set(instrec.__all__) <= set(dir(instrec))


def test_a_package_that_is_missing_is_named(prediction, monkeypatch):
    for package, call in (("pandas", prediction.to_dataframe), ("matplotlib", prediction.plot)):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(instrec.InstrecError, match=f"package {package} is missing; pip install"):
            call()


def test_names_that_there_are_not():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        instrec.nothing  # noqa: B018
    assert instrec.__version__


def loaded(code: str, folder: Path) -> set[str]:
    """What a program of its own has loaded at its end."""
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_predicting_loads_nothing_heavy(tmp_path):
    soundfile.write(tmp_path / "song.wav", tone("flute", 4), RATE)
    command = "from instrec.cli import main\nmain(['predict', 'song.wav'])"
    for code in (command, "import instrec\ninstrec.predict('song.wav')"):
        found = loaded(code, tmp_path)
        assert "onnxruntime" in found
        assert found.isdisjoint(HEAVY)
    assert loaded("import instrec", tmp_path).isdisjoint({*HEAVY, "numpy"})
