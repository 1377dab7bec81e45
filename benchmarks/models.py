"""How fast the architectures train: clips per second on the features of their publications, and against our own.

python -m benchmarks.models [NAME or NAME/VARIANT ...]
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from instrec import params
from instrec.models import architectures
from instrec.models.backend import keras
from instrec.models.heads import TASKS
from instrec.training import devices, fit

OURS = "compact_resnet"
CLASSES, BATCH, SECONDS, STEPS = 15, 32, 5.0, 2  # for so long, and for so many steps at least
SPECTROGRAMS = {  # frames, bins, channels
    OURS: (65, 96, 1),
    "segal": (130, 96, 1),
    "segal/leaky": (130, 96, 1),
    "segal/growing": (130, 96, 1),
    "segal/three_layers": (130, 96, 1),
    "segal/five_layers": (130, 96, 1),
    "segal/dropout_per_layer": (130, 96, 1),
    "segal/wave": (66150, 1, 1),
    "lenet/5x5": (80, 128, 1),
    "lenet/3x8": (80, 128, 1),
    "lstm/units_64": (80, 64, 1),
    "lstm/units_128": (80, 64, 1),
    "lstm/units_128_128": (80, 64, 1),
    "lstm/units_128_64": (80, 64, 1),
    "inception_resnet_v2": (150, 150, 3),
    "inception_v4": (150, 150, 3),
    "alexnet": (227, 227, 3),
    "vgg19": (227, 227, 3),
    "googlenet": (227, 227, 3),
    "han": (43, 128, 1),
    "han/leaky": (43, 128, 1),
    "han/two_branch": (43, 128, 2),
    "han/multi_resolution": (43, 128, 3),
}


def clips_per_second(parameters: params.Params, model: keras.Model, shape: tuple[int, int, int]) -> float:
    fit.compiled(parameters, model, 1)
    rng = np.random.default_rng(0)
    spectrograms = rng.random((BATCH, *shape), dtype=np.float32)
    targets = TASKS[parameters.task].targets(np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, BATCH)])
    model.train_on_batch(spectrograms, targets)  # compiles
    steps, start = 0, time.perf_counter()
    while steps < STEPS or time.perf_counter() - start < SECONDS:
        model.train_on_batch(spectrograms, targets)
        steps += 1
    return steps * BATCH / (time.perf_counter() - start)


def main() -> None:
    parameters = params.load(Path(__file__).parents[1] / "params.yaml")
    # The rest of the parameters as published: frozen for Inception-ResNet-v2 alone, which learns but its dense layers.
    variants: list[tuple[str, str, dict[str, Any]]] = [(name, name, {}) for name in SPECTROGRAMS]
    variants.insert(15, ("inception_resnet_v2, frozen", "inception_resnet_v2", {"frozen": True}))
    chosen = {OURS, *sys.argv[1:]} if sys.argv[1:] else set(SPECTROGRAMS)
    print(f"{'':28}{'spectrogram':>14}{'weights':>14}{'clips/s':>10}{'ratio':>8}", flush=True)
    own = 0.0
    for label, name, changes in variants:
        if name not in chosen:
            continue
        devices.prepare(parameters.seed)
        dense, dropout = ((4096, 4096), 0.5) if name in ("alexnet", "vgg19") else ((512,), 0.0)
        shape = SPECTROGRAMS[name]
        network, _, variant = name.partition("/")
        changes |= {"name": network, "variant": variant or "default", "dense": dense, "dropout": dropout}
        model = architectures.build(shape, CLASSES, parameters.task, replace(parameters.model, **changes))
        rate = clips_per_second(parameters, model, shape)
        own = own or rate
        size = "x".join(map(str, shape))
        print(f"{label:28}{size:>14}{model.count_params():>14,}{rate:>10.1f}{rate / own:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
