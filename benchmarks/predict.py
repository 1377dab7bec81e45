"""Prediction: seconds of audio per second, the released model as ONNX against Keras, and the memory of a long file.

- The command from the start of its process, on 10 s and on ten minutes.
- Ten minutes once all is loaded: each frame's spectrum once and onnxruntime, and each window alone and Keras.
- The model with convolutions of 8 bits against that of 32.
- With `python -m benchmarks.predict` also the peak memory on three hours.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks import side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec.inference.window_classifier import WindowClassifier
from instrec.models.released import FAST, PACKAGED, RELEASED

RATE = 44100  # Hz, stereo: what most files are
TIMES = 5


def write_music(path: Path, seconds: int) -> Path:
    """Write chords of decaying tones over colored noise, a new one every half second."""
    rng = np.random.default_rng(0)
    t = np.arange(RATE // 2)[:, np.newaxis] / RATE
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for _ in range(seconds * 2):
            hertz = 55 * 2 ** (rng.integers(0, 60, size=4) / 12)
            chord = (np.sin(2 * np.pi * hertz * t) * np.exp(-3 * t)).sum(axis=1, keepdims=True)
            file.write(0.1 * chord + 0.01 * rng.standard_normal((len(t), 2)))
    return path


def each_window_alone(path: Path) -> WindowClassifier:
    """Return a Keras model that shares nothing between windows."""
    from instrec import features
    from instrec.inference import keras_model
    from instrec.models import classifier

    trained = classifier.load(path)
    clip, spectrogram = trained.card.clip, trained.card.spectrogram
    representation = features.from_params(clip, spectrogram)
    return replace(
        keras_model.made(trained),
        grid=1,
        features=lambda stretch, step: representation.batch(sliding_window_view(stretch, clip.samples)[::step]),
    )


def answer(sound: Path, model: Path) -> None:
    command = [sys.executable, "-m", "instrec", "predict", str(sound), "--model", str(model.resolve())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=sound.parent, env=environment, check=True, capture_output=True)


def times_real_time(work: Callable[[], object], seconds: int) -> float:
    return seconds / side_by_side.seconds(work)


def compared() -> Iterator[Row]:
    from instrec.inference import model as models
    from instrec.inference import prediction

    with tempfile.TemporaryDirectory() as folder:
        for seconds, turns in ((10, TIMES), (600, 3)):
            music = write_music(Path(folder) / f"{seconds}.flac", seconds)
            rates = {
                name: partial(times_real_time, partial(answer, music, path), seconds)
                for name, path in (("ONNX", PACKAGED), ("Keras", RELEASED))
            }
            yield from side_by_side.rows(f"the whole command on {seconds} s", "times real time", rates, turns)
        known = {"ONNX": models.load(PACKAGED), "each window alone, Keras": each_window_alone(RELEASED)}
        bits = {"8 bits": models.load(PACKAGED.with_stem(FAST)), "32 bits": known["ONNX"]}
        for what, seconds, contenders, turns in (
            ("600 s, all loaded", 600, known, 3),
            ("600 s, all loaded, convolutions of 8 bits", 600, bits, 9),
            ("10 s, all loaded, convolutions of 8 bits", 10, bits, 9),
        ):
            music = Path(folder) / f"{seconds}.flac"
            rates = {
                name: partial(times_real_time, partial(prediction.predict, music, model), seconds)
                for name, model in contenders.items()
            }
            yield from side_by_side.rows(what, "times real time", rates, turns)


def peak_memory(hours: int) -> int:
    """Return the peak memory of a prediction in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        write_music(Path(folder) / "long.flac", hours * 3600)
        # Of this program alone: `ru_maxrss` counts what the process was before it started it, too.
        code = (
            "import instrec, pathlib, re; instrec.predict('long.flac');"
            "print(int(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1]) // 1024)"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True
        )
        return int(done.stdout)


def main() -> None:
    side_by_side.shown(compared())
    print(f"three hours: peak of {peak_memory(3)} MiB")


if __name__ == "__main__":
    main()
