"""Representations, one file each: they compute the features of a clip, by the contract of `Representation`."""

from __future__ import annotations

from collections.abc import Callable

from instrec.audio import separation
from instrec.features.audioset_mel import AudioSetMel
from instrec.features.image import Image
from instrec.features.log_mel import LogMel
from instrec.features.multi_resolution import MultiResolution
from instrec.features.phase_image import PhaseImage
from instrec.features.representation import Representation
from instrec.features.waveform import Waveform
from instrec.features.writing import write
from instrec.params import ClipParams, SpectrogramParams

__all__ = ["REPRESENTATIONS", "Representation", "from_params", "write"]

REPRESENTATIONS: dict[str, Callable[[ClipParams, SpectrogramParams], Representation]] = {
    "log_mel": LogMel,
    "multi_resolution": MultiResolution,
    "image": Image,
    "phase_image": PhaseImage,
    "audioset_mel": AudioSetMel,
    "waveform": Waveform,
}


def from_params(clip: ClipParams, spectrogram: SpectrogramParams) -> Representation:
    """Return the representation that the params name; of sound that is separated already if `part` is one of a file.

    Raises
    ------
    UserError
        If a parameter of params.yaml does not fit the others.
    """
    return REPRESENTATIONS[spectrogram.name](clip, separation.in_clips(spectrogram))
