"""Write golden.npz, what the representations give today; to be run only where they are meant to change.

python tests/features/make_golden.py
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from instrec.features import from_params
from tests.features.music_clips import CLIP, PAIRS, SCALES, SPECTROGRAM, music

PATH = Path(__file__).parent / "golden.npz"
KINDS = {
    f"{part} {scale}": replace(SPECTROGRAM, part=part, scale=scale) for part in ("whole", *PAIRS) for scale in SCALES
}


def spectrogram(kind: str) -> np.ndarray:
    """Return a spectrogram as small as a store keeps it."""
    return from_params(CLIP, KINDS[kind])(music()).astype(np.float16)


if __name__ == "__main__":
    np.savez_compressed(PATH, **{kind: spectrogram(kind) for kind in KINDS})
