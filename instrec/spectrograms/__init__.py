"""The representations: what a model sees of a clip, one file each. All keep the contract of `Representation`."""

from __future__ import annotations

from collections.abc import Callable

from instrec.params import ClipParams, SpectrogramParams
from instrec.spectrograms.image import Image
from instrec.spectrograms.log_mel import LogMel
from instrec.spectrograms.multi_resolution import MultiResolution
from instrec.spectrograms.phase_image import PhaseImage
from instrec.spectrograms.representation import Representation
from instrec.spectrograms.writing import write

__all__ = ["REPRESENTATIONS", "Representation", "from_params", "write"]

REPRESENTATIONS: dict[str, Callable[[ClipParams, SpectrogramParams], Representation]] = {
    "log_mel": LogMel,
    "multi_resolution": MultiResolution,
    "image": Image,
    "phase_image": PhaseImage,
}


def from_params(clip: ClipParams, spectrogram: SpectrogramParams) -> Representation:
    """Give the representation that the params ask for.

    Raises
    ------
    UserError
        Naming the knob of params.yaml that does not fit the others.
    """
    return REPRESENTATIONS[spectrogram.name](clip, spectrogram)
