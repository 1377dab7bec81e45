"""Every variant of every architecture, by one name: the parameters of section `model` that choose it."""

from typing import get_args, get_type_hints

from instrec.models import architectures
from instrec.params import ModelParams

NAMES: tuple[str, ...] = get_args(get_type_hints(ModelParams)["name"])
CHOICES = {
    name if variant == "default" else f"{name}_{variant}": {"name": name, "variant": variant}
    for name in NAMES
    for variant in architectures.variants(name)
}
SMALLEST = {  # spectrograms that are as small as an architecture takes them; (1, 1) where it takes all
    "compact_resnet": (1, 1, 1),
    "segal": (16, 16, 1),
    "segal_leaky": (16, 16, 1),
    "segal_growing": (16, 16, 1),
    "segal_three_layers": (8, 8, 1),
    "segal_five_layers": (32, 32, 1),
    "segal_dropout_per_layer": (16, 16, 1),
    "segal_wave": (15361, 1, 1),
    "lenet_5x5": (16, 16, 1),
    "lenet_3x8": (25, 10, 1),
    "lstm_units_64": (1, 1, 1),
    "lstm_units_128": (1, 1, 1),
    "lstm_units_128_128": (1, 1, 1),
    "lstm_units_128_64": (1, 1, 1),
    "inception_resnet_v2": (75, 75, 3),
    "inception_v4": (75, 75, 1),
    "alexnet": (67, 67, 3),
    "vgg19": (32, 32, 3),
    "googlenet": (32, 32, 3),
    "han": (1, 1, 1),
    "han_leaky": (1, 1, 1),
    "han_two_branch": (1, 1, 2),
    "han_multi_resolution": (1, 1, 3),
    "efficient_at_mn04": (1, 1, 1),
}
