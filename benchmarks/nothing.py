"""What a model takes noise for: `python benchmarks/nothing.py`.

Silence, noise of several colors, hum, and noise that is shaped as speech is: formants that move four times per second
over a buzz of a speaking pitch or over breath. None holds an instrument of any class but, by a long stretch, a voice.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from instrec.inference import model as models
from instrec.inference import prediction

RATE, SECONDS = 22050, 30.0
SAMPLES = round(RATE * SECONDS)
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))  # formants, Hz
CONSONANT_HZ = 3500.0


def colored(rng: np.random.Generator, slope: float) -> np.ndarray:
    """Noise whose power falls with frequency to the power of `slope`."""
    spectrum = np.fft.rfft(rng.standard_normal(SAMPLES))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    return np.fft.irfft(spectrum, SAMPLES)


def hum(rng: np.random.Generator) -> np.ndarray:
    """Mains and its overtones, with some noise."""
    t = np.arange(SAMPLES) / RATE
    return sum(np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6)) / k for k in range(1, 20)) + colored(rng, 1.0) * 0.05


def speech(rng: np.random.Generator, *, voiced: bool) -> np.ndarray:
    """Syllables, four per second, of a vowel and sometimes a hiss; every two seconds a short rest."""
    y = np.zeros(SAMPLES)
    at = 0.0
    while at < SECONDS - 0.5:
        length = rng.uniform(0.15, 0.35)
        n = round(length * RATE)
        if voiced:
            hertz = rng.uniform(90, 230) * (1 + rng.uniform(-0.2, 0.2) * np.linspace(0, 1, n))
            source = scipy.signal.sawtooth(2 * np.pi * np.cumsum(hertz) / RATE) + 0.05 * rng.standard_normal(n)
        else:
            source = rng.standard_normal(n)
        one, other = (np.array(VOWELS[index]) for index in rng.integers(len(VOWELS), size=2))
        sound = np.zeros(n)
        for part in range(4):  # formants glide from one vowel to the other
            edges = slice(part * n // 4, (part + 1) * n // 4)
            sound[edges] = sum(_formant(source, hz)[edges] for hz in one + (other - one) * part / 3)
        if rng.random() < 0.4:
            hiss = round(0.08 * RATE)
            sound[:hiss] += scipy.signal.sosfilt(
                scipy.signal.butter(2, CONSONANT_HZ, "highpass", fs=RATE, output="sos"), rng.standard_normal(hiss)
            )
        start = round(at * RATE)
        y[start : start + n] += sound * np.hanning(n) * rng.uniform(0.4, 1)
        at += length * rng.uniform(0.8, 1.1) + (rng.uniform(0.3, 0.8) if rng.random() < 0.12 else 0)
    return y


def _formant(source: np.ndarray, hertz: float) -> np.ndarray:
    return scipy.signal.lfilter(*scipy.signal.iirpeak(hertz, 8, fs=RATE), source)


SOUNDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "silence": lambda rng: np.zeros(SAMPLES),
    "dither": lambda rng: 10 ** (-90 / 20) * rng.standard_normal(SAMPLES),
    "white noise": lambda rng: colored(rng, 0.0),
    "pink noise": lambda rng: colored(rng, 1.0),
    "brown noise": lambda rng: colored(rng, 2.0),
    "mains hum": hum,
    "whispered speech": lambda rng: speech(rng, voiced=False),
    "voiced speech": lambda rng: speech(rng, voiced=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/classifier.keras"))
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    known = models.load(args.model)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in SOUNDS.items():
            for seed in range(args.seeds):
                y = make(np.random.default_rng(seed))
                loudest = np.abs(y).max()
                path = Path(folder) / "sound.wav"
                soundfile.write(path, y if name == "dither" else 0.5 * y / (loudest or 1), RATE, subtype="FLOAT")
                said = prediction.predict(path, known)
                found = [
                    f"{each.name} {each.probability:.2f} for {sum(end - start for start, end in each.segments):.1f} s"
                    for each in said.instruments
                ]
                best = int(said.timeline.max(axis=0).argmax())
                nearest = f"nothing; nearest {said.activations.classes[best]} {said.timeline[:, best].max():.2f}"
                print(f"{name}, {seed}: {', '.join(found) or nearest}")


if __name__ == "__main__":
    main()
