"""What a model loses on music in other tunings: `python -m benchmarks.tunings [--model FILE]`.

The frozen solos and mixtures play with the unseen SoundFont in the equal temperament and in each tuning of
instrec/synthesis/tuning.py, on a tonic that the score's name decides. Drums have no pitch: their solos are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pretty_midi
from tqdm import tqdm

from instrec import params
from instrec.corpus import test_sets
from instrec.inference import model as models
from instrec.inference import prediction
from instrec.models.released import PACKAGED
from instrec.synthesis import tuning
from instrec.synthesis.fluidsynth import Synth
from instrec.synthesis.soundfonts import catalog
from instrec.synthesis.variation import Performance
from instrec.util import seeding


def performance(name: str | None, file: Path) -> Performance:
    """Return how a score is played in a tuning; None is the equal temperament."""
    return Performance(tuning=(name, int(seeding.generator(0, "tonic", file.stem).integers(12))) if name else None)


def measured(
    known: models.Model, synth: Synth, name: str | None, scores: Iterable[tuple[Path, tuple[str, ...]]]
) -> tuple[float, float]:
    """Return top-1 of the solos and micro F1 of the mixtures."""
    right, hits, wrong = [], 0, 0
    for file, labels in tqdm(list(scores), desc=name or "equal", leave=False):
        y = synth.render(pretty_midi.PrettyMIDI(str(file)), test_sets.SECONDS, performance(name, file))
        said = prediction.predict(y, known, sample_rate=synth.sample_rate)
        if file.parent.name == test_sets.SOLO:
            right.append(known.classes[int(prediction.mean_presence(said.activations).argmax())] == labels[0])
        else:
            found = {each.name for each in said.instruments}
            hits += len(found & set(labels))
            wrong += len(found ^ set(labels))
    return float(np.mean(right)), 2 * hits / (2 * hits + wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=PACKAGED)
    known, defaults = models.load(parser.parse_args().model), params.load()
    synth = Synth(catalog.find(defaults.soundfonts.unseen, defaults.soundfonts.folders), defaults.clip.sample_rate)
    scores = [each for each in test_sets.score_files(Path("data"), known.classes) if each[1] != ("drums",)]
    print("| tuning | solo: top-1 | mixtures: micro F1 |\n| --- | --- | --- |")
    for name in (None, *tuning.TUNINGS):
        top1, micro_f1 = measured(known, synth, name, scores)
        print(f"| {name or 'equal temperament'} | {top1:.3f} | {micro_f1:.3f} |", flush=True)


if __name__ == "__main__":
    main()
