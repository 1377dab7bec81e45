"""Convolutions of 8 bits: nearly the same probabilities, in a file that any runtime takes, or none."""

import numpy as np
import onnxruntime
import pytest

from instrec import export, features
from instrec.cli import main
from instrec.export import int8, onnx_file
from instrec.export.probes import probes
from instrec.models import classifier
from instrec.models.released import FAST, PACKAGED, RELEASED, original
from instrec.util import hdf5
from tests.refusals import refused


@pytest.fixture(scope="module")
def released(repository):
    return repository / RELEASED


@pytest.fixture(scope="module")
def sounds(released):
    card = classifier.load(released).card
    whole = probes(card.clip)
    return np.concatenate([whole, np.float32(0.3) * whole])


@pytest.fixture(scope="module")
def clips(released, sounds, tmp_path_factory):
    """A store as stage spectrograms writes it."""
    card = classifier.load(released).card
    rows = features.from_params(card.clip, card.spectrogram).batch(sounds)
    path = tmp_path_factory.mktemp("clips") / "valid.h5"
    write(path, rows)
    return path


def write(path, rows):
    names, labels = [str(number) for number in range(len(rows))], np.zeros((len(rows), 1), np.uint8)
    forms = {"name": "features", "shape": rows.shape[1:], "dtype": np.float16}
    with hdf5.create(path, **forms, ids=names, labels=labels, classes=["a"]) as store:
        store.append(rows.astype(np.float16))


def metadata(path):
    return onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map


def test_nearly_the_same_probabilities_from_a_smaller_file(released, sounds, clips, tmp_path, capsys):
    path = tmp_path / "m.onnx"
    command = ["export", "--format", "onnx", "--model", str(released), "--output", str(path), "--int8", str(clips)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith(f"{path}: 1.")
    given, wanted = (onnx_file.probabilities(file, sounds)["presence"] for file in (path, PACKAGED))
    assert 0 < np.abs(given - wanted).mean() <= export.INT8_TOLERANCE
    assert metadata(path) == metadata(PACKAGED) | {"version": metadata(path)["version"]}


def test_the_packaged_one_answers_as_the_default_one(sounds):
    """Sounds that it has not seen: its ranges are those of validation clips."""
    fast, default = (onnx_file.probabilities(PACKAGED.with_stem(name), sounds) for name in (FAST, PACKAGED.stem))
    assert np.abs(fast["presence"] - default["presence"]).mean() <= export.INT8_TOLERANCE
    assert PACKAGED.with_stem(FAST).stat().st_size < 0.5 * PACKAGED.stat().st_size
    assert original(FAST) == RELEASED


def test_what_differs_too_much_is_not_written(released, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(int8, "_PERCENTILE", 10.0)
    with refused("export-differs", released, "8 bits", export.INT8_TOLERANCE):
        export.export(released, "onnx", tmp_path / "m.onnx", clips=clips)
    assert not list(tmp_path.iterdir())


def test_clips_and_formats_that_do_not_go_with_it(released, clips, tmp_path):
    with refused("arguments-invalid", "--int8", "onnx", "tflite"):
        export.export(released, "tflite", tmp_path / "m.tflite", clips=clips)
    with refused("store-unreadable", tmp_path / "valid.h5", "missing"):
        export.export(released, "onnx", tmp_path / "m.onnx", clips=tmp_path / "valid.h5")
    write(tmp_path / "other.h5", np.zeros((4, 10, 96, 1)))
    with refused("features-mismatch", f"--int8 {tmp_path / 'other.h5'}", "(10, 96, 1)", "(130, 96, 1)"):
        export.export(released, "onnx", tmp_path / "m.onnx", clips=tmp_path / "other.h5")


def test_a_network_that_8_bits_make_no_faster(tones, tmp_path):
    shape = classifier.load(tones).model.input_shape[1:]
    write(tmp_path / "valid.h5", np.random.default_rng(0).random((4, *shape)))
    with refused("export-failed", tones, "no convolution"):
        export.export(tones, "onnx", tmp_path / "m.onnx", clips=tmp_path / "valid.h5")
