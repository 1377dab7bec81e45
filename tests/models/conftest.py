"""What the tests of architectures share: a trunk by itself, and spectrograms of random numbers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from instrec.models import architectures
from instrec.params import Params
from tests.architectures import CHOICES

Shape = tuple[int, int, int]


@pytest.fixture(scope="session")
def trunk_of(small_params: Params) -> Callable[..., keras.Model]:
    """Build an architecture without a head, for spectrograms of a shape, with parameters of the section `model`."""

    def make(name: str, shape: Shape, **parameters: Any) -> keras.Model:
        spectrogram = keras.Input(shape, name="spectrogram")
        params = replace(small_params.model, **CHOICES[name], **parameters)
        return keras.Model(spectrogram, architectures.variants(params.name)[params.variant](spectrogram, params))

    return make


@pytest.fixture(scope="session")
def spectrograms_of() -> Callable[[Shape], np.ndarray]:
    return lambda shape: np.random.default_rng(0).random((4, *shape), dtype=np.float32)
