"""Rows of the manifest, scores, and tones for the tests of rendering."""

from pathlib import Path

import numpy as np
import pretty_midi

from instrec.corpus.manifest import CLEAN, SCORE, Clip
from instrec.synthesis.soundfonts import catalog

RATE = 22050


PEAK = round(0.89 * 32767)


CLIP = Clip("train/solo/flute-00001", "train", SCORE, "", 0.0, ("flute",), "", "TimGM6mb.sf2", CLEAN, 20)


def held(params):
    return catalog.held(params.soundfonts.all, params.soundfonts.folders)


def save(path: Path, *programs: int, end: float = 0.9, start: float = 0.0) -> None:
    score = pretty_midi.PrettyMIDI()
    for program in programs:
        track = pretty_midi.Instrument(program)
        track.notes = [pretty_midi.Note(90, 69, start, end)]
        score.instruments.append(track)
    score.write(str(path))


def tone(hz: float, seconds: float, rate: int = 44100) -> np.ndarray:
    return 0.01 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def hertz(y: np.ndarray) -> float:
    return int(np.abs(np.fft.rfft(y * np.hanning(len(y)))).argmax()) * RATE / len(y)
