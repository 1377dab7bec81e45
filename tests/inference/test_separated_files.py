"""A model of a part of files gets the same part in prediction as it got in training."""

from dataclasses import replace

import numpy as np
import pytest

from instrec import features
from instrec.audio import separation
from instrec.inference import keras_model
from instrec.inference.activations import activations_of
from instrec.inference.model import Model
from tests.refusals import refused
from tests.tone_model import RATE, build, tone, written


@pytest.fixture(scope="module")
def known():
    classifier = build()
    spectrogram = replace(classifier.card.spectrogram, part="solo_of_file")
    return replace(classifier, card=replace(classifier.card, spectrogram=spectrogram))


@pytest.fixture(scope="module")
def y():
    """33 s, so that there are two blocks."""
    beats = np.resize(np.concatenate([tone("violin", 0.4), tone("double_bass", 0.4)]), 33 * RATE).astype(np.float32)
    beats[9 * RATE : 10 * RATE] += tone("flute", 1.0)
    return beats / 2


def test_windows_are_cut_from_the_separated_file(known, y, tmp_path):
    model = keras_model.made(known)
    found = activations_of(y, model, sample_rate=RATE, hop_share=0.5)
    separated = separation.of_file(y, RATE, "solo")
    representation = features.from_params(known.card.clip, known.card.spectrogram)
    windows = np.stack([separated[onset : onset + model.window] for onset in found.onsets])
    presence, count = known.predict(representation.batch(windows))
    expected = presence * (1 - count[:, :1])
    loud = ~found.silent
    assert loud.any()
    np.testing.assert_allclose(found.presence[loud], expected[loud], atol=1e-3)
    assert found.total == len(y)
    file = written(tmp_path, y, subtype="FLOAT")
    np.testing.assert_allclose(activations_of(file, model, hop_share=0.5).presence, found.presence, atol=1e-3)


def test_live_sound_is_refused(known):
    with refused("model-mismatch", "stream", "instrec.predict"):
        Model(**vars(keras_model.made(known))).stream(RATE)
