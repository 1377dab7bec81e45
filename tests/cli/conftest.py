"""A model of three tones, and music for it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.tone_model import RATE, silence, tone


@pytest.fixture(scope="session")
def model(tones: Path) -> str:
    return str(tones)


@pytest.fixture
def music(tmp_path) -> Path:
    path = tmp_path / "music.wav"
    soundfile.write(path, np.concatenate([tone("violin", 3), silence(2), tone("flute", 3)]), RATE)
    return path
