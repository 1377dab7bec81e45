"""The synthesis loop: a training's seconds with it and without, where training a round takes longer than making it.

Once with a stand-in for an accelerator (each batch is read and augmented here, then waited for), which shows what the
loop itself costs; once with the training of params.yaml on whatever Keras finds here. On a CPU that one shares the
cores with the rendering, and so must pay for it.

python -m benchmarks.rounds
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from instrec import features, params
from instrec.corpus import balance, manifest
from instrec.models import architectures
from instrec.synthesis import rendering, writing
from instrec.synthesis.soundfonts import catalog
from instrec.training import clip_rounds, devices, fit, regeneration
from instrec.training.batches import Batches
from instrec.util.hdf5 import Store, open_store

ROUNDS, LONGER = 3, 1.5  # rounds trained, and how many times as long as making one that takes at least
SOLOS, MIXTURES = 10, 50  # of each class, of all

Learn = Callable[[Store, int], object]
"""Trains an epoch on a store."""


def first_round(parameters: params.Params, folder: Path) -> clip_rounds.Sources:
    """What the stages balance, synthesize and spectrograms make."""
    held = catalog.held(parameters.soundfonts.all, parameters.soundfonts.folders)
    clips = manifest.of_split(balance.make(parameters, [], Path("data"), held), "train")
    manifest.write(folder / "manifest.csv", clips)
    alone = replace(parameters, workers=1)  # other processes would import Keras with this module
    writing.write(folder / "audio.h5", clips, rendering.Renderer(alone, Path("data")))
    representation = features.from_params(parameters.clip, parameters.spectrogram)
    features.write(folder / "train.h5", folder / "audio.h5", representation, workers=1)
    return clip_rounds.Sources(parameters, folder / "manifest.csv", Path("data"), folder / "train.h5")


def seconds_to_make(sources: clip_rounds.Sources, folder: Path) -> float:
    """A round, as the loop makes it, while nothing is trained."""
    one = replace(sources.params.train, epochs=2, regenerate_every=1)
    begin = time.perf_counter()
    with regeneration.Rounds(replace(sources, params=replace(sources.params, train=one)), folder) as loop:
        loop.store(1)
    return time.perf_counter() - begin


def stand_in(parameters: params.Params, seconds: float) -> Learn:
    """An accelerator that takes so many seconds per epoch."""

    def learn(clips: Store, epoch: int) -> None:
        end = time.perf_counter() + seconds
        batches = Batches(clips, parameters, epoch)
        for place in range(len(batches)):
            batches[place]
            time.sleep(max(0.0, (end - time.perf_counter()) / (len(batches) - place)))

    return learn


def keras_model(parameters: params.Params, first: Path) -> Learn:
    with open_store(first) as clips:
        frames, bins, channels = clips.shape
        model = architectures.build((frames, bins, channels), len(clips.classes), parameters.task, parameters.model)
        model = fit.compiled(parameters, model, len(Batches(clips, parameters)))

    def learn(clips: Store, epoch: int) -> None:
        model.fit(Batches(clips, parameters, epoch), shuffle=False, verbose=0)

    return learn


def train(sources: clip_rounds.Sources, folder: Path, learn: Learn) -> tuple[float, float]:
    """Train all epochs; give the seconds that took and those waited for rounds."""
    begin, waited = time.perf_counter(), 0.0
    with regeneration.Rounds(sources, folder) as loop:
        for epoch in range(sources.params.train.epochs):
            asked = time.perf_counter()
            path = loop.store(epoch)
            waited += time.perf_counter() - asked
            with open_store(path) as clips:
                learn(clips, epoch)
    return time.perf_counter() - begin, waited


def compare(name: str, sources: clip_rounds.Sources, folder: Path, learn: Learn, epochs: int) -> None:
    """Train rounds of so many epochs with the loop and without."""
    seconds = {}
    for every in (0, epochs):
        train_params = replace(sources.params.train, epochs=ROUNDS * epochs, regenerate_every=every)
        own = replace(sources, params=replace(sources.params, train=train_params))
        seconds[every], waited = train(own, folder / name, learn)
        print(f"{name:12} loop {'on' if every else 'off':4}{seconds[every]:7.1f} s, {waited:.1f} s of them waiting")
    print(f"ratio, loop on to off: {seconds[epochs] / seconds[0]:.2f}\n")


def main() -> None:
    parameters = params.load(Path(__file__).parents[1] / "params.yaml")
    bounds = replace(
        parameters.balance, train_per_class=SOLOS, train_mixtures=MIXTURES, valid_per_class=0, valid_mixtures=0
    )
    parameters = replace(parameters, balance=bounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = first_round(parameters, folder)
        making = seconds_to_make(sources, folder / "alone")
        print(f"a round of {SOLOS * len(parameters.classes) + MIXTURES} clips takes {making:.1f} s to make\n")
        compare("stand-in", sources, folder, stand_in(parameters, LONGER * making / 4), 4)
        devices.prepare(parameters.seed)
        learn = keras_model(parameters, sources.first)
        with open_store(sources.first) as clips:
            learn(clips, 0)  # compiles
            begin = time.perf_counter()
            learn(clips, 0)
        epochs = 1 + round(LONGER * making / (time.perf_counter() - begin))
        compare("keras", sources, folder, learn, epochs)


if __name__ == "__main__":
    main()
