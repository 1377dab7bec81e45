"""A real, tiny model that knows three pure tones, and their sound: what it should say is known exactly."""

from pathlib import Path

import keras
import numpy as np
import soundfile

from instrec import features
from instrec.inference import keras_model
from instrec.inference.model import Model
from instrec.models.classifier import Card, Classifier
from instrec.params import ClipParams, SpectrogramParams

RATE = 16000
TONES = {"double_bass": 250.0, "violin": 1000.0, "flute": 3000.0}
CARD = Card(
    classes=tuple(TONES),
    clip=ClipParams(sample_rate=RATE, seconds=1.0),
    spectrogram=SpectrogramParams(
        name="log_mel",
        part="whole",
        scale="decibels",
        window=1024,
        hop=256,
        mels=40,
        min_hz=50.0,
        max_hz=8000.0,
        floor_db=60.0,
        frames=0,
        pixels=0,
    ),
    thresholds=(0.5, 0.5, 0.5),
)


def tone(name: str, seconds: float, *, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    """The tone that the model takes for an instrument [shape=(samples,), float32]."""
    return (level * np.sin(2 * np.pi * TONES[name] * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, *, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate), np.float32)


def written(folder: Path, *parts: np.ndarray, name: str = "music.wav", rate: int = RATE, **options: str) -> Path:
    """Write sounds one after another into a file."""
    soundfile.write(folder / name, np.concatenate(parts), rate, **options)
    return folder / name


def build() -> Classifier:
    """A class is present where, at any time in the clip, its tone's mel band is among the loudest."""
    representation = features.from_params(CARD.clip, CARD.spectrogram)
    weights = np.zeros((CARD.spectrogram.mels, len(TONES)), np.float32)
    for column, name in enumerate(TONES):
        weights[representation(tone(name, 1.0)).mean(axis=(0, 2)).argmax(), column] = 60.0
    inputs = keras.Input(representation.shape)
    loudest = keras.layers.Flatten()(keras.layers.MaxPooling2D((representation.shape[0], 1))(inputs))
    presence = keras.layers.Dense(len(TONES), "sigmoid", name="presence")
    count = keras.layers.Dense(4, "softmax", name="count")
    model = keras.Model(inputs, {"presence": presence(loudest), "count": count(loudest)})
    presence.set_weights([weights, np.full(len(TONES), -50.0, np.float32)])
    count.set_weights([np.zeros((CARD.spectrogram.mels, 4), np.float32), np.array([-50.0, 0, 0, 0], np.float32)])
    return Classifier(model, CARD)


def model() -> Model:
    """The same, as prediction uses it."""
    return Model(**vars(keras_model.made(build())))
