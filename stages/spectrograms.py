"""Stage spectrograms: sound to pictures, one HDF5 file a split."""

import sys
from pathlib import Path

from instrec import params, spectrograms
from instrec.errors import UserError, run

AUDIO, SPECTROGRAMS = Path("build/audio"), Path("build/spectrograms")


def main() -> None:
    """Write build/spectrograms/SPLIT.h5 for every build/audio/SPLIT.h5."""
    knobs = params.load()
    representation = spectrograms.from_params(knobs.clip, knobs.spectrogram)
    paths = sorted(AUDIO.glob("*.h5"))
    if not paths:
        raise UserError(f"{AUDIO}: holds no audio; run `dvc repro synthesize`")
    for path in paths:
        spectrograms.write(SPECTROGRAMS / path.name, path, representation, workers=knobs.workers, cluster=knobs.cluster)


if __name__ == "__main__":
    sys.exit(run(main))
