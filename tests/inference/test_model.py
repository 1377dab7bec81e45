"""ONNX gives what Keras gives, on real decoding; and what is no model is refused in one line."""

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from instrec import export
from instrec.errors import UserError
from instrec.features import from_params
from instrec.inference import keras_model, model
from instrec.inference.activations import activations_of
from instrec.models import architectures, classifier
from instrec.models.released import PACKAGED, RELEASED
from tests.refusals import refused
from tests.tone_model import CARD, RATE, build, silence, tone, written

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def released(repository) -> tuple[model.Model, model.Model]:
    """The released model on both runtimes."""
    return model.load(PACKAGED), model.load(repository / RELEASED)


def music(seconds: float, rate: int, channels: int) -> np.ndarray:
    """Tones with overtones over noise, with a rest [shape=(samples, channels)]."""
    random, time = np.random.default_rng(3), np.arange(round(seconds * rate)) / rate
    notes = [np.sin(2 * np.pi * hertz * order * time) / order for hertz in (220, 331) for order in (1, 2, 3)]
    sound = 0.1 * np.sum(notes, axis=0) * (np.sin(1.7 * time) > -0.5)
    return sound[:, np.newaxis] * random.uniform(0.3, 1, channels) + 1e-3 * random.standard_normal(
        (len(time), channels)
    )


@pytest.mark.parametrize(
    ("seconds", "rate", "channels", "name"),
    [(9.3, 44100, 2, "a.flac"), (0.2, 8000, 1, "a.wav"), (3.0, 22050, 1, "a.wav"), (31, 48000, 6, "a.ogg")],
)
def test_the_same_activations_of_the_released_model(released, tmp_path, seconds, rate, channels, name):
    soundfile.write(tmp_path / name, music(seconds, rate, channels), rate)
    from_onnx, from_keras = (activations_of(tmp_path / name, each, hop_seconds=0.4) for each in released)
    assert from_onnx.onsets.tolist() == from_keras.onsets.tolist()
    np.testing.assert_allclose(from_onnx.presence, from_keras.presence, atol=TOLERANCE)
    assert from_onnx.presence.max() > 0.2


def test_activations_are_those_of_windows_alone(released, repository):
    """As training saw them: cut, made into features one by one, and given to Keras."""
    trained = classifier.load(repository / RELEASED)
    card, y = trained.card, music(12, 22050, 1)[:, 0].astype(np.float32)
    activations = activations_of(y, released[0], sample_rate=22050)
    windows = np.stack([y[onset : onset + card.clip.samples] for onset in activations.onsets])
    presence, count = trained.predict(from_params(card.clip, card.spectrogram).batch(windows))
    np.testing.assert_allclose(activations.presence, presence * (1 - count[:, :1]), atol=TOLERANCE)


def test_silence_is_nothing(released, tmp_path):
    path = written(tmp_path, silence(8))
    for each in released:
        assert not activations_of(path, each).presence.any()


def test_a_model_that_does_not_count_with_several_resolutions(full_params, tmp_path):
    card = replace(CARD, spectrogram=replace(CARD.spectrogram, name="multi_resolution", scale="log"))
    shape = from_params(card.clip, card.spectrogram).shape
    network = architectures.build(shape, 3, "solo", replace(full_params.model, name="compact_resnet", width=2))
    classifier.save(tmp_path / "m.keras", network, card)
    export.export(tmp_path / "m.keras", "onnx", tmp_path / "m.onnx")
    path = written(tmp_path, tone("flute", 2.7) + tone("violin", 2.7))
    first, second = (activations_of(path, model.load(tmp_path / name)) for name in ("m.keras", "m.onnx"))
    np.testing.assert_allclose(first.presence, second.presence, atol=TOLERANCE)


def test_what_an_export_says_of_itself_is_kept(tones_onnx):
    known, made = model.load(tones_onnx), keras_model.made(build())
    names = ("classes", "thresholds", "sample_rate", "window", "grid")
    assert [getattr(known, name) for name in names] == [getattr(made, name) for name in names]


@pytest.mark.parametrize("seconds", [0.0, 0.09, 1.01, float("nan")])
def test_a_hop_out_of_range_is_refused(tones_onnx, seconds):
    with pytest.raises(UserError, match=r"allowed is 0\.1 to 1, a window"):
        model.load(tones_onnx).hop(seconds)


def test_hops_lie_on_the_grid(tones_onnx):
    known = model.load(tones_onnx)
    assert (known.hop(0.1), known.hop(1.0), known.hop(share=0.5)) == (1536, RATE // 256 * 256, 7936)


class TestDamaged:
    def refused(self, path: Path) -> str:
        with pytest.raises(UserError) as told:
            model.load(path)
        assert "\n" not in str(told.value)
        return str(told.value)

    @pytest.mark.parametrize("name", ["none.onnx", "none.keras", "unknown"])
    def test_a_missing_file(self, tmp_path, name):
        with refused("model-missing", tmp_path / name, "classifier"):
            model.load(tmp_path / name)

    @pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08" * 99])
    def test_another_file(self, tmp_path, content):
        (tmp_path / "m.onnx").write_bytes(content)
        assert "instrec export --format onnx" in self.refused(tmp_path / "m.onnx")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("classes", '["a"]'),
            ("thresholds", "7"),
            ("window_samples", "99"),
            ("spectrogram", "{}"),
            ("sample_rate", "x"),
        ],
    )
    def test_what_does_not_agree(self, tones_onnx, tmp_path, key, value):
        graph = onnx.load(tones_onnx)
        texts = {each.key: each.value for each in graph.metadata_props} | {key: value}
        onnx.helper.set_model_props(graph, texts)
        onnx.save(graph, tmp_path / "m.onnx")
        assert "not a model that this version of instrec exported" in self.refused(tmp_path / "m.onnx")

    @pytest.mark.parametrize("name", ["m.onnx", "m.keras"])
    def test_what_may_not_be_read(self, tmp_path, monkeypatch, name):
        (tmp_path / name).touch()

        def denied(path: Path, *_: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

        monkeypatch.setattr(Path, "open", denied)
        with refused("file-unreadable", tmp_path / name, "permission denied", "permissions"):
            model.load(tmp_path / name)

    def test_a_graph_for_other_features(self, tones_onnx, tmp_path):
        graph = onnx.load(tones_onnx)
        texts = {each.key: each.value for each in graph.metadata_props}
        texts["spectrogram"] = json.dumps(json.loads(texts["spectrogram"]) | {"mels": CARD.spectrogram.mels * 2})
        onnx.helper.set_model_props(graph, texts)
        onnx.save(graph, tmp_path / "m.onnx")
        assert "not a model that this version of instrec exported" in self.refused(tmp_path / "m.onnx")

    def test_a_network_for_other_features(self, tmp_path):
        card = replace(CARD, spectrogram=replace(CARD.spectrogram, mels=CARD.spectrogram.mels * 2))
        classifier.save(tmp_path / "m.keras", build().model, card)
        with refused("model-mismatch", tmp_path / "m.keras", str(CARD.spectrogram.mels * 2)):
            model.load(tmp_path / "m.keras")

    def test_a_graph_of_something_else(self, tmp_path):
        value = onnx.helper.make_tensor_value_info("samples", onnx.TensorProto.FLOAT, [1])
        node = onnx.helper.make_node("Identity", ["samples"], ["presence"])
        given = onnx.helper.make_tensor_value_info("presence", onnx.TensorProto.FLOAT, [1])
        opset = onnx.helper.make_opsetid("", 15)
        graph = onnx.helper.make_graph([node], "g", [value], [given])
        onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "m.onnx")
        assert "not a model that this version of instrec exported" in self.refused(tmp_path / "m.onnx")

    def test_zeros_in_place_of_weights(self, tmp_path):
        content = bytearray(PACKAGED.read_bytes())
        content[2_000_000:2_004_096] = bytes(4096)
        (tmp_path / PACKAGED.name).write_bytes(content)
        assert len(model.load(tmp_path / PACKAGED.name).classes) == 15  # nothing tells them from others
        shutil.copy(PACKAGED.with_suffix(".md5"), tmp_path)
        with refused("model-unloadable", tmp_path / PACKAGED.name, "damaged", PACKAGED.with_suffix(".md5").name):
            model.load(tmp_path / PACKAGED.name)

    def test_weights_that_are_no_numbers(self, tones_onnx, tmp_path):
        graph = onnx.load(tones_onnx)
        for each in graph.graph.initializer:
            values = onnx.numpy_helper.to_array(each)
            if values.ndim == 2 and values.shape[-1] == 3:
                each.CopyFrom(onnx.numpy_helper.from_array(np.full_like(values, np.nan), each.name))
        onnx.save(graph, tmp_path / "m.onnx")
        with pytest.raises(UserError, match="gives no probabilities"):
            model.load(tmp_path / "m.onnx")

    def test_keras_is_missing(self, repository, monkeypatch):
        for name in ("instrec.inference.keras_model", "keras"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, "instrec.models.classifier", None)
        monkeypatch.delattr("instrec.inference.keras_model", raising=False)
        assert "pip install 'instrec[pipeline]'" in self.refused(repository / RELEASED)


def test_the_released_export_is_a_model():
    assert len(model.load(PACKAGED).classes) == 15


def test_a_prediction_leaves_no_files(tmp_path):
    """onnxruntime would leave what its telemetry needs; it sends none where it takes itself to be under test."""
    homes = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for folder in homes.values():
        Path(folder).mkdir()
    path = written(tmp_path, tone("flute", 4))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **homes}
    command = [sys.executable, "-m", "instrec", "predict", "--model", "classifier", path]
    subprocess.run(command, env=env, check=True, capture_output=True)
    assert [each for folder in homes.values() for each in Path(folder).rglob("*")] == []
