"""A model of parts of files gets the same parts in prediction as it got in training."""

from dataclasses import replace

import numpy as np
import pytest

from instrec import features
from instrec.audio import decoding, separation
from instrec.corpus.manifest import CLEAN, RECORDING, Clip
from instrec.inference import keras_model
from instrec.inference.activations import activations_of
from instrec.inference.model import Model
from instrec.models.backend import keras, layers
from instrec.models.classifier import Classifier
from instrec.synthesis.rendering import Renderer
from tests.refusals import refused
from tests.tone_model import CARD, RATE, tone, written


@pytest.fixture(scope="module", params=["solo_of_file", "solo_accompaniment_of_file", "harmonic_percussive_of_file"])
def part(request):
    return request.param


@pytest.fixture(scope="module")
def known(part):
    """A layer without training, to which every band of every part matters."""
    card = replace(CARD, spectrogram=replace(CARD.spectrogram, part=part))
    inputs = keras.Input(features.from_params(card.clip, card.spectrogram).shape)
    bands = layers.Flatten()(layers.AveragePooling2D((inputs.shape[1], 1))(inputs))
    random = keras.initializers.RandomNormal(stddev=1.0, seed=3)
    presence = layers.Dense(len(card.classes), "sigmoid", kernel_initializer=random)(bands)
    return Classifier(keras.Model(inputs, {"presence": presence}), card)


@pytest.fixture(scope="module")
def y():
    """33 s, so that there are two blocks."""
    beats = np.resize(np.concatenate([tone("violin", 0.4), tone("double_bass", 0.4)]), 33 * RATE).astype(np.float32)
    beats[9 * RATE : 10 * RATE] += tone("flute", 1.0)
    return beats / 2


def test_windows_are_cut_from_the_separated_file(known, part, y, tmp_path):
    model = keras_model.made(known)
    found = activations_of(y, model, sample_rate=RATE, hop_share=0.5)
    separated = separation.of_file(y, RATE, separation.OF_FILE[part])
    representation = features.from_params(known.card.clip, known.card.spectrogram)
    windows = np.stack([separated[onset : onset + model.window] for onset in found.onsets])
    expected, _ = known.predict(representation.batch(windows))
    loud = ~found.silent
    assert loud.any()
    assert expected.std(axis=0).max() > 0.01
    np.testing.assert_allclose(found.presence[loud], expected[loud], atol=1e-3)
    assert found.total == len(y)
    file = written(tmp_path, y, subtype="FLOAT")
    np.testing.assert_allclose(activations_of(file, model, hop_share=0.5).presence, found.presence, atol=1e-3)


def test_a_sound_shorter_than_a_window_is_separated_and_padded(known, part):
    model, y = keras_model.made(known), tone("violin", 0.4)
    found = activations_of(y, model, sample_rate=RATE)
    separated = separation.of_file(y, RATE, separation.OF_FILE[part])
    expected, _ = known.predict(features.from_params(known.card.clip, known.card.spectrogram)(separated)[np.newaxis])
    np.testing.assert_allclose(found.presence, expected, atol=1e-3)


def test_the_features_of_a_file_are_those_that_the_pipeline_stores(known, full_params, y, tmp_path):
    """Also where a window reaches from one block into the next."""
    model, file = keras_model.made(known), written(tmp_path, y, subtype="FLOAT")
    render = Renderer(replace(full_params, clip=known.card.clip, spectrogram=known.card.spectrogram), tmp_path)
    heard = np.concatenate([parts for _, parts in model.sounds(decoding.blocks(file, RATE))])
    representation = features.from_params(known.card.clip, known.card.spectrogram)
    for onset in (0.0, 9.2, separation.BLOCK_SECONDS - 0.5):
        stored = render(Clip("a", "train", RECORDING, str(file), onset, (), "a", "", CLEAN, 1))
        start = round(onset * RATE)
        ours = model.features(heard[start : start + model.window], model.window)[0]
        theirs = representation(stored.astype(np.float32) / np.float32(32768))
        assert theirs.std() > 0.05
        np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_live_sound_is_refused(known):
    with refused("model-mismatch", "stream", "instrec.predict"):
        Model(**vars(keras_model.made(known))).stream(RATE)
