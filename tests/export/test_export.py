"""Exported files: the same probabilities for any number of windows, what a program needs to know, and no bad file."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from instrec import export, features
from instrec.cli import main
from instrec.features.log_mel import LogMel
from instrec.models import architectures, classifier
from instrec.params import Params
from tests import full_disk
from tests.refusals import assert_one_line, refused
from tests.tone_model import CARD, TONES, model, tone

FORMATS = sorted(export.FORMATS)


@pytest.fixture(scope="module")
def exported(tones: Path) -> dict[str, Path]:
    files = {form: tones.with_suffix(f".{form}") for form in FORMATS}
    for form, path in files.items():
        assert main(["export", "--format", form, "--model", str(tones), "--output", str(path)]) == 0
    return files


@pytest.mark.parametrize("form", FORMATS)
class TestFile:
    def test_the_same_probabilities_for_any_number_of_windows(self, tones, exported, form):
        sounds = np.stack([tone("violin", 1), tone("flute", 1, level=1e-3), tone("violin", 1) + tone("flute", 1)])
        inputs = features.from_params(CARD.clip, CARD.spectrogram).batch(sounds)
        presence, count = classifier.load(tones).predict(inputs)
        assert presence[2].round().tolist() == [0, 1, 1]
        for number in (1, 2, 3):
            given = export.FORMATS[form].probabilities(exported[form], sounds[:number])
            assert given.keys() == {"presence", "count"}
            np.testing.assert_allclose(given["presence"], presence[:number], atol=export.TOLERANCE)
            np.testing.assert_allclose(given["count"], count[:number], atol=export.TOLERANCE)

    def test_how_to_use_it_is_inside(self, exported, form):
        about = json.loads(json.dumps(_about(exported[form])))
        assert about["classes"] == list(TONES)
        assert about["thresholds"] == [0.5, 0.5, 0.5]
        assert (about["sample_rate"], about["window_samples"]) == (16000, 16000)
        assert about["hop_samples"] == model().hop()  # as `instrec predict` hears
        assert about["input"].startswith("samples: float32 [windows, 16000], mono sound at 16000 Hz")
        assert "0, 1, 2, and 3 or more" in about["output_count"]
        assert len(about["model_md5"]) == 32
        assert about["spectrogram"]["mels"] == 40
        assert ("input_features" in about) == (form == "onnx")

    def test_a_model_that_does_not_count_has_one_output(self, tmp_path, full_params: Params, form):
        card = replace(CARD, spectrogram=replace(CARD.spectrogram, name="multi_resolution"))
        shape = features.from_params(card.clip, card.spectrogram).shape
        path, network = tmp_path / "m.keras", replace(full_params.model, name="lenet", variant="5x5")
        classifier.save(path, architectures.build(shape, 3, "solo", network), card)
        done = export.export(path, form, tmp_path / f"m.{form}")
        assert done.difference <= export.TOLERANCE
        assert done.size == (tmp_path / f"m.{form}").stat().st_size
        sounds = tone("violin", 1)[np.newaxis]
        assert export.FORMATS[form].probabilities(tmp_path / f"m.{form}", sounds).keys() == {"presence"}
        assert "output_count" not in _about(tmp_path / f"m.{form}")

    def test_a_file_that_answers_otherwise_is_not_left(self, tones, tmp_path, form, monkeypatch):
        """The features have changed, and the front end has not followed."""
        transform = LogMel._transform
        monkeypatch.setattr(LogMel, "_transform", lambda self, y: np.sqrt(transform(self, y)))
        with refused("export-differs", tones, form, export.TOLERANCE):
            export.export(tones, form, tmp_path / f"m.{form}")
        assert list(tmp_path.iterdir()) == []


def _about(path: Path) -> dict:
    if path.suffix == ".tflite":
        with zipfile.ZipFile(path) as file:
            about = json.loads(file.read("instrec.json"))
            assert file.read("labels.txt").decode().splitlines() == about["classes"]
        return about
    texts = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    plain = ("name", "version", "model_md5", "license", "input", "input_features", "output_presence", "output_count")
    return {key: value if key in plain else json.loads(value) for key, value in texts.items()}


def test_onnx_names_its_first_dimension(exported):
    session = onnxruntime.InferenceSession(exported["onnx"])
    assert [(each.name, each.shape) for each in session.get_inputs()] == [("samples", ["windows", 16000])]
    assert {each.name: each.shape[0] for each in session.get_outputs()} == {"presence": "windows", "count": "windows"}


class TestMistakes:
    def error(self, capsys, *argv: str) -> str:
        assert main(["export", *argv]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1, err
        return err

    def test_formats(self, capsys, tones):
        assert "invalid choice: 'coreml'" in self.error(capsys, "--format", "coreml", "--model", str(tones))
        assert "required: --format" in self.error(capsys, "--model", str(tones))
        wrong = ("--format", "onnx", "--output", "x.tflite", "--model", str(tones))
        assert "x.tflite: a file of format onnx ends in .onnx" in self.error(capsys, *wrong)

    def test_places(self, capsys, tones, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "folder.onnx").mkdir()
        for place, reason in (("file/m.onnx", "Not a directory"), ("folder.onnx", "Is a directory")):
            argv = ("--format", "onnx", "--model", str(tones), "--output", str(tmp_path / place))
            assert f"{place}: cannot be written: {reason}" in self.error(capsys, *argv)
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder.onnx"]

    def test_models(self, capsys, tmp_path):
        (tmp_path / "text.keras").write_text("no model")
        for name, message in (("text.keras", "not a model of instrec's"), ("none.keras", "no model there")):
            argv = ("--format", "tflite", "--model", str(tmp_path / name), "--output", str(tmp_path / "m.tflite"))
            assert f"{name}: {message}" in self.error(capsys, *argv)

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_full_disk_for_temporary_files_is_named(self, tones, tmp_path, form):
        (disk := tmp_path / "disk").mkdir()
        argv = ("export", "--format", form, "--model", str(tones), "--output", str(tmp_path / f"m.{form}"))
        done = full_disk.python(disk, 64, "-m", "instrec", *argv)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert done.stderr.startswith(f"error: TMPDIR={disk}: No space left on device; free some space, or set TMPDIR")
        assert list(tmp_path.iterdir()) == [disk]

    @pytest.mark.parametrize("package", ["onnx", "onnxruntime", "tf2onnx"])
    def test_a_missing_package(self, capsys, tones, tmp_path, package, monkeypatch):
        monkeypatch.setitem(sys.modules, package, None)
        argv = ("--format", "onnx", "--model", str(tones), "--output", str(tmp_path / "m.onnx"))
        assert f"package {package} is missing; pip install 'instrec[pipeline]'" in self.error(capsys, *argv)
        assert list(tmp_path.iterdir()) == []

    def test_a_network_without_a_counterpart(self, capsys, tmp_path):
        """Keras has operations that neither format knows."""
        shape = features.from_params(CARD.clip, CARD.spectrogram).shape
        inputs = keras.Input(shape)
        presence = keras.ops.mean(keras.ops.erfinv(inputs * 0.5), axis=(1, 2)) * np.ones(3, np.float32)
        classifier.save(tmp_path / "odd.keras", keras.Model(inputs, {"presence": presence}), CARD)
        for form in FORMATS:
            argv = ("--format", form, "--model", str(tmp_path / "odd.keras"), "--output", str(tmp_path / f"m.{form}"))
            assert "odd.keras: " in self.error(capsys, *argv)
            assert not (tmp_path / f"m.{form}").exists()

    def test_another_backend(self, tones, tmp_path):
        command = [sys.executable, "-m", "instrec", "export", "--format", "onnx", "--model", str(tones)]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert_one_line(done.stderr, "KERAS_BACKEND=jax", "KERAS_BACKEND=tensorflow")
        assert list(tmp_path.iterdir()) == []
