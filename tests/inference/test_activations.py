import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from instrec import features
from instrec.errors import UserError
from instrec.inference import keras_model
from instrec.inference.activations import Activations, activations_of
from instrec.inference.cutter import BATCH
from instrec.models import architectures
from instrec.models.classifier import Classifier
from tests import tone_model
from tests.refusals import refused
from tests.tone_model import CARD, RATE, build, tone, written


@pytest.fixture(scope="module")
def model():
    return tone_model.model()


def names(activations: Activations) -> list[str]:
    """The classes that the model detects in every window."""
    return [
        name
        for name, present in zip(activations.classes, activations.presence.min(axis=0) > 0.5, strict=True)
        if present
    ]


@pytest.mark.parametrize(("none", "share"), [(0.0, 0.75), (50.0, 0.0)])
def test_what_counts_as_nothing_holds_no_instrument(tmp_path, none, share):
    known = build()
    counter = known.model.get_layer("count")
    counter.set_weights([counter.get_weights()[0], np.array([none, 0, 0, 0])])
    path = written(tmp_path, tone("flute", 2))
    presence = activations_of(path, tone_model.model()).presence
    assert presence.max() > 0.9
    np.testing.assert_allclose(activations_of(path, keras_model.made(known)).presence, share * presence, atol=1e-6)


@pytest.mark.parametrize("hop", [0.0, 0.05, 1.01, float("nan")])
def test_a_hop_out_of_range_is_refused(tmp_path, model, hop):
    path = written(tmp_path, tone("flute", 2))
    with refused("value-out-of-range", f"hop of {hop:g} s", "0.1 to 1"):
        activations_of(path, model, hop_seconds=hop)


@pytest.mark.parametrize(
    ("rate", "channels", "suffix", "subtype"),
    [
        (8000, 1, "wav", "PCM_U8"),
        (96000, 2, "flac", "PCM_24"),
        (48000, 6, "wav", "FLOAT"),
        (44100, 2, "ogg", "VORBIS"),
        (44100, 2, "mp3", "MPEG_LAYER_III"),
        (22050, 1, "aiff", "PCM_16"),
    ],
)
def test_any_format_rate_and_number_of_channels(tmp_path, model, rate, channels, suffix, subtype):
    y = np.repeat(tone("flute", 2.5, rate=rate)[:, None], channels, axis=1)
    path = written(tmp_path, y, name=f"music.{suffix}", rate=rate, subtype=subtype)
    activations = activations_of(path, model)
    assert names(activations) == ["flute"]
    assert activations.duration == pytest.approx(2.5, abs=0.1)


def test_one_sample_is_a_file(tmp_path, model):
    activations = activations_of(written(tmp_path, np.array([0.5], np.float32)), model)
    assert 0 < activations.duration < 0.001


def test_a_truncated_file_gives_what_is_left_of_it(tmp_path, model):
    path = written(tmp_path, tone("flute", 4), name="music.flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    activations = activations_of(path, model)
    assert names(activations) == ["flute"]
    assert 1 < activations.duration < 3


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("empty", "file-empty"),
        ("text", "audio-undecodable"),
        ("nan", "audio-not-finite"),
        ("folder", "not-a-file"),
        ("missing", "file-unreadable"),
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(tmp_path, model, bad, code):
    path = tmp_path / "music.wav"
    if bad == "empty":
        path.touch()
    elif bad == "text":
        path.write_text("not audio at all\n" * 50)
    elif bad == "nan":
        written(tmp_path, tone("flute", 1), np.array([np.nan], np.float32), subtype="FLOAT")
    elif bad == "folder":
        path.mkdir()
    with refused(code, path):
        activations_of(path, model)


def test_memory_does_not_grow_with_the_length_of_the_file(tmp_path, model):
    minutes = 25
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8000, 1) as file:
        for _ in range(minutes):
            file.write(tone("violin", 60, rate=8000, level=0.01))
    activations_of(written(tmp_path, tone("violin", 1)), model)  # what is loaded once is not counted
    tracemalloc.start()
    try:
        activations = activations_of(tmp_path / "long.wav", model, hop_seconds=1.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert activations.duration == 60 * minutes
    assert names(activations) == ["violin"]
    whole_file = minutes * 60 * RATE * 4
    assert peak < whole_file / 4


def test_the_number_of_threads_changes_nothing(tmp_path, model):
    path = written(tmp_path, np.concatenate([tone(name, 30) for name in ("flute", "violin", "double_bass")]))
    one, many = (activations_of(path, model, hop_seconds=0.1, threads=threads) for threads in (1, 4))
    assert len(one.onsets) > 20 * BATCH
    np.testing.assert_array_equal(one.onsets, many.onsets)
    np.testing.assert_array_equal(one.presence, many.presence)
    np.testing.assert_array_equal(one.rms, many.rms)


def test_a_model_that_fails_ends_all_threads(tmp_path, model):
    def network(pictures: np.ndarray) -> np.ndarray:
        raise UserError("model-unloadable", "model.onnx", "gives no probabilities")

    before = threading.active_count()
    with refused("model-unloadable", "model.onnx"):
        activations_of(written(tmp_path, tone("flute", 60)), replace(model, network=network), hop_seconds=0.1)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "change",
    [
        {"part": "harmonic_percussive"},
        {"part": "solo_accompaniment", "frames": 40},
        {"name": "multi_resolution", "scale": "log"},
        {"name": "image", "pixels": 48},
        {"name": "phase_image", "window": 512, "pixels": 48},
        {"name": "waveform"},
    ],
    ids=str,
)
def test_any_representation_that_a_model_was_trained_on(tmp_path, full_params, change):
    card = replace(CARD, spectrogram=replace(CARD.spectrogram, **change))
    representation = features.from_params(card.clip, card.spectrogram)
    parameters = replace(full_params.model, name="compact_resnet", width=2)
    trained = Classifier(architectures.build(representation.shape, len(card.classes), "multilabel", parameters), card)
    y = np.concatenate([tone("flute", 0.7), tone("violin", 0.9)])
    model = keras_model.made(trained)
    activations = activations_of(written(tmp_path, y, subtype="FLOAT"), model)
    assert activations.onsets.tolist() == [0, model.hop(0.5), len(y) - RATE]
    expected, _ = trained.predict(representation.batch(np.stack([y[start:][:RATE] for start in activations.onsets])))
    np.testing.assert_allclose(activations.presence, expected, atol=1e-5)
    shorter = activations_of(written(tmp_path, y[: RATE // 20], subtype="FLOAT"), model)
    expected, _ = trained.predict(representation(y[: RATE // 20])[np.newaxis])
    np.testing.assert_allclose(shorter.presence, expected, atol=1e-5)
