"""How long an answer takes and what memory: the ONNX model beside Keras, in one run: `python benchmarks/predict.py`.

Each in processes of their own:

- the first answer on 10 s of sound, from the start of the process;
- ten minutes by the command, by turns: the released model as ONNX, and `--model released/classifier.keras`;
- ten minutes once all is loaded, by turns: each frame's spectrum once and onnxruntime, and each window alone and Keras;
- the peak memory on three hours.

Beside the seconds on the clock stand those of all cores together, which other work on the machine changes less.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.lib.stride_tricks import sliding_window_view

from instrec.inference.model import Model
from instrec.models.released import PACKAGED, RELEASED

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


def each_window_alone(path: Path) -> Model:
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


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds on the clock and of all cores, own and of children that have ended."""
    before, started = os.times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - started, os.times()
    return seconds, sum(after[:4]) - sum(before[:4])


def answer(sound: Path, model: Path) -> None:
    command = [sys.executable, "-m", "instrec", "predict", str(sound), "--model", str(model.resolve())]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(command, cwd=sound.parent, env=environment, check=True, capture_output=True)


def line(what: str, times: list[tuple[float, float]]) -> tuple[float, float]:
    clock, cores = np.median(np.array(times), axis=0).tolist()
    best = min(each for each, _ in times)
    print(f"{what}: {clock:.2f} s ({best:.2f} at best), {cores:.2f} s of all cores", flush=True)
    return clock, cores


def compared(what: str, times: dict[str, list[tuple[float, float]]]) -> None:
    (ours, own), (theirs, other) = (line(f"{what}, {name}", each) for name, each in times.items())
    print(f"{what}: {theirs / ours:.2f} times as fast by the clock, {other / own:.2f} by all cores", flush=True)


def main() -> None:
    from instrec.inference import model as models
    from instrec.inference import prediction

    with tempfile.TemporaryDirectory() as folder:
        short = write_music(Path(folder) / "short.wav", 10)
        line("first answer, ONNX", [measured(lambda: answer(short, PACKAGED)) for _ in range(TIMES)])
        line("first answer, Keras", [measured(lambda: answer(short, RELEASED)) for _ in range(2)])

        music = write_music(Path(folder) / "10.flac", 600)
        whole: dict[str, list[tuple[float, float]]] = {"ONNX": [], "Keras": []}
        for _ in range(3):
            for name, path in (("ONNX", PACKAGED), ("Keras", RELEASED)):
                whole[name].append(measured(lambda path=path: answer(music, path)))  # type: ignore[misc]
        compared("the command on ten minutes", whole)

        known = {"ONNX": models.load(PACKAGED), "each window alone, Keras": each_window_alone(RELEASED)}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in known}
        for model in known.values():
            prediction.predict(short, model)  # what is compiled or loaded once
        for _ in range(3):
            for name, model in known.items():
                times[name].append(measured(lambda model=model: prediction.predict(music, model)))  # type: ignore[misc]
        compared("ten minutes", times)

        long = write_music(Path(folder) / "180.flac", 3 * 3600)
        # Of this program alone: `ru_maxrss` counts what the process was before it started it, too.
        code = (
            "import instrec, pathlib, re; instrec.predict('180.flac');"
            "print(int(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1]) // 1024)"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=long.parent, env=environment, check=True, capture_output=True)
        print(f"three hours: peak of {int(done.stdout)} MiB")


if __name__ == "__main__":
    main()
