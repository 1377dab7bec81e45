"""The front end in Keras operations computes the features that the representation computes."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from instrec import features
from instrec.export import onnx_file
from instrec.export.front_end import _power, audio_model
from instrec.export.probes import probes
from instrec.models.classifier import Classifier
from instrec.params import ClipParams
from tests.refusals import refused
from tests.tone_model import CARD

CLIP = ClipParams(sample_rate=22050, seconds=0.31)
SPECTROGRAM = replace(CARD.spectrogram, max_hz=11025.0, floor_db=80.0)


def showing_its_features(**parameters) -> tuple[Classifier, features.Representation]:
    """A classifier that returns the features it is given."""
    card = replace(CARD, clip=CLIP, spectrogram=replace(SPECTROGRAM, **parameters))
    representation = features.from_params(CLIP, card.spectrogram)
    inputs = keras.Input(representation.shape)
    return Classifier(keras.Model(inputs, {"presence": layers.Flatten()(inputs)}), card), representation


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hop": 1024},
        {"window": 1023, "hop": 255, "mels": 24},  # odd, and no common divisor but 3
        {"window": 1009, "hop": 311, "mels": 24},  # primes: a single step
        {"window": 1000, "hop": 1500},  # gaps between the frames
        {"frames": 3},
        {"scale": "log"},
        {"scale": "log", "floor_db": 30.0},
        {"min_hz": 500.0, "max_hz": 4000.0, "mels": 24},
        {"name": "multi_resolution"},
        {"name": "multi_resolution", "window": 1023, "mels": 24, "frames": 5, "scale": "log"},
        {"name": "audioset_mel"},
        {"name": "audioset_mel", "window": 800, "hop": 320, "scale": "log", "mels": 24, "frames": 5},
    ],
    ids=str,
)
def test_features_are_the_same(parameters):
    classifier, representation = showing_its_features(**parameters)
    sounds = probes(CLIP)
    given_ = audio_model(classifier).predict_on_batch(sounds)["presence"].reshape(-1, *representation.shape)
    # Two decimal digits of a level are 1e-4 of the range; what differs most is the softest.
    np.testing.assert_allclose(given_, representation.batch(sounds), atol=5e-4)
    assert given_[0].max() == 0, "silence"
    assert given_.max() > 0.99


@settings(max_examples=40)
@given(n=st.integers(1, 700), seed=st.integers(0, 9))
def test_every_bin_of_the_power_spectrum_comes_once(n, seed):
    frames = np.random.default_rng(seed).standard_normal((1, 3, n)).astype(np.float32)
    power, fold = _power(keras.ops.convert_to_tensor(frames))
    expected = np.square(np.abs(np.fft.rfft(frames[0].astype(np.float64))))
    np.testing.assert_allclose(np.array(power) @ fold, expected, rtol=1e-4, atol=1e-4 * n)
    assert fold.sum(axis=0).tolist() == [1] * (1 + n // 2)


def test_a_graph_in_onnxruntime_takes_features_alone(tmp_path):
    classifier, representation = showing_its_features()
    path = tmp_path / "m.onnx"
    onnx_file.convert(classifier, path, {})
    rows = np.random.default_rng(0).random((3, *representation.shape)).astype(np.float32)
    none = np.zeros((0, representation.samples), np.float32)
    (given,) = onnx_file.session(path).run(["presence"], {"samples": none, "features": rows})
    np.testing.assert_array_equal(given, rows.reshape(given.shape))


@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "phase_image", "pixels": 32},
        {"name": "inputs", "pixels": 32},
        {"name": "waveform"},
        {"part": "harmonic"},
        {"part": "harmonic_of_file"},
        {"part": "harmonic_percussive_of_file"},
    ],
    ids=str,
)
def test_other_features_are_refused(parameters):
    clip = ClipParams(sample_rate=22050, seconds=1.0)
    with refused("features-not-exportable", "", "log_mel", "multi_resolution", "part whole"):
        audio_model(Classifier(None, replace(CARD, clip=clip, spectrogram=replace(SPECTROGRAM, **parameters))))
