from dataclasses import replace

import numpy as np
import pytest

from instrec.features import from_params
from tests.features.music_clips import CLIP, SPECTROGRAM, music


@pytest.mark.parametrize("part", ["whole", "percussive", "harmonic_percussive"])
@pytest.mark.parametrize(("window", "hop"), [(1024, 256), (1023, 245)])
def test_each_resolution_is_a_log_mel_of_its_own(part, window, hop):
    """6615 samples are 27 hops of 245, where a window of odd length has a frame less."""
    spectrogram = replace(SPECTROGRAM, window=window, hop=hop, part=part)
    computed = from_params(CLIP, replace(spectrogram, name="multi_resolution"))(music())
    for index, channels in enumerate(np.split(computed, 3, axis=-1)):
        alone = from_params(CLIP, replace(spectrogram, window=window * 2**index))(music())
        assert np.array_equal(channels, alone[: len(computed)])
