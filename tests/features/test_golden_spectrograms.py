"""A change of the code does not change what models were trained on."""

import numpy as np
import pytest

from tests.features.make_golden import KINDS, PATH, spectrogram


@pytest.mark.parametrize("kind", KINDS)
def test_spectrograms_are_those_of_the_golden_file(kind):
    """Up to what processors round differently: two steps of half precision."""
    with np.load(PATH) as golden:
        np.testing.assert_allclose(spectrogram(kind).astype(float), golden[kind].astype(float), atol=1e-3)
