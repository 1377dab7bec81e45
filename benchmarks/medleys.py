"""How well instruments of long files are reported: `python -m benchmarks.medleys`.

Medleys of known instruments are rendered: pieces of 40 s as in benchmarks/timelines.py, all from a cast of three to six
instruments, and a last one in which a guest may play. Their beginnings, of several lengths, are predicted. An
instrument is there when it sounds for a second.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import timelines
from instrec import params
from instrec.inference import model as models
from instrec.inference import prediction
from instrec.inference.prediction import Prediction
from instrec.inference.whole_file import MIN_ODDS, MIN_SHARE, raised
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from instrec.util import seeding

LENGTHS = (10, 40, 160, 600, 3600)  # seconds
RULES = [
    *((share, MIN_ODDS) for share in (0.0, 0.02, 0.05, 0.1, 0.2)),
    *((MIN_SHARE, odds) for odds in (1, 2, 3, 5, 8)),
]
"""Shares of the time, and how many times the odds of the threshold, that an instrument needs to count."""


def medley(synth: Synth, classes: tuple[str, ...], *, seed: int, seconds: int) -> timelines.Piece:
    """Compose and render."""
    chosen = seeding.generator(seed, "medleys").permutation(classes)[: 4 + seed % 4].tolist()
    number = -(-seconds // round(timelines.SECONDS))
    parts = [*timelines.pieces(chosen[1:], synth, seed=seed, number=number - 1)]
    parts += timelines.pieces(chosen[:3], synth, seed=seed + 1_000_000, number=1)
    sounding: dict[str, timelines.Spans] = {}
    for place, part in enumerate(parts):
        for name, spans in part.sounding.items():
            shifted = [(start + place * timelines.SECONDS, end + place * timelines.SECONDS) for start, end in spans]
            sounding.setdefault(name, []).extend(shifted)
    return timelines.Piece(np.concatenate([part.y for part in parts]), sounding)


def present(piece: timelines.Piece, seconds: float) -> set[str]:
    """Return the instruments that sound for a second before that time."""
    lengths = {
        name: sum(max(0.0, min(end, seconds) - start) for start, end in spans) for name, spans in piece.sounding.items()
    }
    return {name for name, length in lengths.items() if length >= 1}


def counted(predicted: Prediction, thresholds: dict[str, float], share: float, odds: float) -> set[str]:
    """Return the instruments that `whole_file.decided` would name by another rule, in a file of two windows or more."""
    activations = predicted.activations
    audible = activations.audible.sum() * activations.cell / activations.sample_rate
    least = share * max(0.0, audible - activations.window / activations.sample_rate)
    return {
        each.name
        for each in (*predicted.instruments, *predicted.doubtful)
        if each.share * audible >= least and each.probability >= raised(thresholds[each.name], odds)
    }


def rows(outcomes: dict[tuple[int, float, float], Counter[str]]) -> Iterator[str]:
    yield "seconds  share  odds  named  there  precision  recall  F1"
    for (seconds, share, odds), each in outcomes.items():
        precision, recall = each["right"] / max(1, each["named"]), each["right"] / each["there"]
        f1 = 2 * each["right"] / (each["named"] + each["there"])
        named, there = each["named"] / each["files"], each["there"] / each["files"]
        yield f"{seconds:7} {share:6.2f} {odds:5} {named:6.1f} {there:6.1f} {precision:10.3f} {recall:7.3f} {f1:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/classifier.keras"))
    parser.add_argument("--soundfont", help="its file name (default: the unseen one of params.yaml)")
    parser.add_argument("--medleys", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    args = parser.parse_args()
    known, settings = models.load(args.model), params.load()
    font, rate = args.soundfont or settings.soundfonts.unseen, known.sample_rate
    synth = Synth(catalog.find(font, settings.soundfonts.folders), rate)
    thresholds = dict(zip(known.classes, known.thresholds, strict=True))
    outcomes = {(seconds, *rule): Counter[str]() for seconds in LENGTHS for rule in RULES}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "medley.flac"
        for seed in range(args.seed, args.seed + args.medleys):
            piece = medley(synth, known.classes, seed=seed, seconds=LENGTHS[-1])
            for seconds in LENGTHS:
                soundfile.write(path, piece.y[: seconds * rate], rate)
                predicted, there = prediction.predict(path, known), present(piece, seconds)
                for rule in RULES:
                    named = counted(predicted, thresholds, *rule)
                    outcomes[(seconds, *rule)].update(
                        files=1, named=len(named), there=len(there), right=len(named & there)
                    )
    print("\n".join(rows(outcomes)))


if __name__ == "__main__":
    main()
