"""Stage spectrograms: sound to pictures, one HDF5 file per split."""

from pathlib import Path

from instrec.errors import UserError
from instrec.util.processes import stage

AUDIO, SPECTROGRAMS = Path("build/audio"), Path("build/spectrograms")


def main() -> None:
    """Write build/spectrograms/SPLIT.h5 for every build/audio/SPLIT.h5."""
    from instrec import features, params

    knobs = params.load()
    representation = features.from_params(knobs.clip, knobs.spectrogram)
    paths = sorted(AUDIO.glob("*.h5"))
    if not paths:
        raise UserError("audio-missing", AUDIO, "holds no audio; run `dvc repro synthesize`")
    for path in paths:
        features.write(SPECTROGRAMS / path.name, path, representation, workers=knobs.workers, cluster=knobs.cluster)


if __name__ == "__main__":
    stage(main, "spectrograms")
