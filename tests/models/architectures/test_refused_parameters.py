"""Parameters that an architecture cannot follow are refused by name."""

from dataclasses import replace

import pytest

from instrec.models import architectures, pretrained
from instrec.params import Params
from tests.architectures import CHOICES, SMALLEST
from tests.refusals import refused

ALL = pytest.mark.parametrize("name", CHOICES)


@ALL
def test_a_spectrogram_that_is_too_small_names_the_parameters(small_params: Params, name: str) -> None:
    frames, bins, channels = SMALLEST[name]
    params = replace(small_params.model, **CHOICES[name])
    for shape, parameter in (
        ((frames - 1, bins, channels), "spectrogram.hop"),
        ((frames, bins - 1, channels), "spectrogram.mels"),
    ):
        if min(shape):
            with refused(
                "parameters-conflict",
                "params.yaml: model.name",
                params.name,
                params.variant,
                f"{shape[0]} frames x {shape[1]} bins",
                parameter,
            ):
                architectures.build(shape, 3, "solo", params)


@pytest.mark.parametrize(
    ("name", "channels", "remedy"),
    [
        ("inception_resnet_v2", 1, "spectrogram.name: image"),
        ("vgg19", 2, "spectrogram.name: image"),
        ("han_two_branch", 1, "spectrogram.part: harmonic_percussive"),
        ("han_multi_resolution", 1, "multi_resolution"),
    ],
)
def test_other_channels_than_an_architecture_has_weights_for_name_the_parameters(
    small_params: Params, name: str, channels: int, remedy: str
) -> None:
    params = replace(small_params.model, **CHOICES[name])
    with refused(
        "parameters-conflict",
        "params.yaml: model.name",
        params.name,
        params.variant,
        f"128 bins x {channels} channels",
        remedy,
    ):
        architectures.build((128, 128, channels), 3, "solo", params)


@ALL
def test_weights_and_frozen_are_refused_where_there_are_none(small_params: Params, name: str) -> None:
    params = replace(small_params.model, **CHOICES[name])
    own = pretrained.WEIGHTS.get(params.name)
    for weights in set(pretrained.WEIGHTS.values()) - {own}:
        known = [each for each, its in pretrained.WEIGHTS.items() if its == weights]
        with refused("parameters-conflict", "params.yaml: model.weights", *known, params.name):
            architectures.build(SMALLEST[name], 3, "solo", replace(params, weights=weights))
    if params.name not in pretrained.FREEZABLE:
        with refused("parameters-conflict", "params.yaml: model.frozen", *pretrained.FREEZABLE, params.name):
            architectures.build(SMALLEST[name], 3, "solo", replace(params, frozen=True))


def test_a_variant_that_is_not_there_names_those_that_are(small_params: Params) -> None:
    params = replace(small_params.model, name="lenet", variant="7x7")
    with refused("value-unknown", "params.yaml: model.variant", "lenet", "7x7", "5x5", "3x8"):
        architectures.build((64, 64, 1), 3, "solo", params)
