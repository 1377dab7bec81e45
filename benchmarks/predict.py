"""How much faster than real time predicting is, and what memory it takes: `python benchmarks/predict.py`.

Decoding, spectrograms, model and timeline are counted; loading the model is not.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from instrec.inference import model as models
from instrec.inference import prediction

RATE = 44100  # Hz, stereo: what most files are


def write_music(path: Path, minutes: int) -> Path:
    """Write chords of decaying tones over colored noise, a new one every half second."""
    rng = np.random.default_rng(0)
    t = np.arange(RATE // 2)[:, np.newaxis] / RATE
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for _ in range(minutes * 120):
            hertz = 55 * 2 ** (rng.integers(0, 60, size=4) / 12)
            chord = (np.sin(2 * np.pi * hertz * t) * np.exp(-3 * t)).sum(axis=1, keepdims=True)
            file.write(0.1 * chord + 0.01 * rng.standard_normal((len(t), 2)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/classifier.keras"))
    model = models.load(parser.parse_args().model)
    with tempfile.TemporaryDirectory() as folder:
        prediction.predict(write_music(Path(folder) / "1.flac", 1), model)  # what is compiled or loaded once
        for minutes in (10, 180):
            path = write_music(Path(folder) / f"{minutes}.flac", minutes)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            started = time.perf_counter()
            prediction.predict(path, model)
            seconds = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{minutes} minutes of 44.1 kHz stereo FLAC: {seconds:.1f} s, "
                f"{minutes * 60 / seconds:.0f} times real time, "
                f"peak memory {peak:.0f} MiB, {peak - before:.0f} more than before"
            )


if __name__ == "__main__":
    main()
