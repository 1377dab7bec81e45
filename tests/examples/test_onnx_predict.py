"""The example runs with onnxruntime and numpy alone, and names what `instrec predict` names."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from instrec.cli import main
from instrec.inference import model as models
from instrec.inference.activations import activations_of
from instrec.inference.window_classifier import HOP_SHARE
from instrec.models.released import PACKAGED, RELEASED

HOOK = """
import runpy, sys
for name in ("instrec", "keras", "tensorflow", "librosa", "scipy", "soundfile", "av", "soxr"):
    sys.modules[name] = None  # its import fails
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def write(path: Path, sound: np.ndarray, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def named(repository: Path, model: Path, sound: Path) -> list[str]:
    command = [sys.executable, "-c", HOOK, repository / "examples/onnx_predict.py", model, sound]
    done = subprocess.run(command, cwd=sound.parent, env={}, text=True, capture_output=True, check=True)
    return done.stdout.split()


def expected(file: Path, model: Path) -> dict[str, float]:
    """The classes that reach their threshold where the means of neighboring windows are highest."""
    known = models.load(model)
    presence = activations_of(file, known, hop_share=HOP_SHARE).presence
    pairs = (np.concatenate([presence[:1], presence]) + np.concatenate([presence, presence[-1:]])) / 2
    rows = zip(known.classes, known.thresholds, pairs.max(axis=0).tolist(), strict=True)
    return {name: highest for name, threshold, highest in rows if highest >= threshold}


@pytest.mark.parametrize(
    ("program", "pitch", "seconds", "channels"), [(73, 79, 9.0, 1), (None, 38, 7.3, 2), (56, 70, 1.2, 1)]
)
def test_the_same_classes_as_predict(repository, synth, score_of, tmp_path, capsys, program, pitch, seconds, channels):
    notes = [(pitch, start, start + 0.4) for start in np.arange(0, seconds, 0.5)]
    sound = np.repeat(synth.render(score_of(program, *notes), seconds)[:, None], channels, axis=1)
    file = write(tmp_path / "music.wav", sound, 22050)
    assert main(["predict", str(file), "--json", "--model", str(repository / RELEASED)]) == 0
    surest = max(json.loads(capsys.readouterr().out)["instruments"], key=lambda each: each["probability"])
    words = named(repository, PACKAGED, file)
    given = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    assert next(iter(given)) == surest["name"]
    assert given == pytest.approx(expected(file, repository / RELEASED), abs=0.006)


def test_other_rates_and_silence(repository, tones_onnx, tmp_path):
    """At another rate a tone stays the tone that it is; nothing is named in silence."""
    for rate in (8000, 44100):
        tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate)[:, None]
        assert named(repository, tones_onnx, write(tmp_path / "tone.wav", tone, rate))[0] == "violin"
    silent = write(tmp_path / "silent.wav", np.zeros((16000, 1)), 16000)
    assert named(repository, tones_onnx, silent) == []


def test_it_has_20_lines(repository):
    """Without blank ones and the docstring."""
    lines = [line for line in (repository / "examples/onnx_predict.py").read_text().splitlines() if line.strip()]
    assert lines[0].startswith('"""') and lines[0].endswith('"""')
    assert len(lines[1:]) <= 20
