"""A model of three tones, and music for it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from instrec.models import classifier
from tests.tone_model import CARD, RATE, build, silence, tone


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("model") / "tones.keras"
    classifier.save(path, build().model, CARD)
    return str(path)


@pytest.fixture
def music(tmp_path) -> Path:
    path = tmp_path / "music.wav"
    soundfile.write(path, np.concatenate([tone("violin", 3), silence(2), tone("flute", 3)]), RATE)
    return path
