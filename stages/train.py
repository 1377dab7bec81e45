"""Stage train: spectrograms to a model."""

from pathlib import Path

from instrec.util.processes import stage


def main() -> None:
    """Write models/classifier.keras, models/history.csv and models/speed.json."""
    from instrec import params
    from instrec.training import fit
    from instrec.util import provenance

    files = fit.Files(
        audio=Path("build/audio/train.h5"),
        spectrograms=Path("build/spectrograms"),
        manifest=Path("build/manifest.csv"),
        data=Path("data"),
        model=Path("models/classifier.keras"),
        history=Path("models/history.csv"),
        speed=Path("models/speed.json"),
        backup=provenance.repository() / ".backup",
    )
    fit.train(params.load(), files)


if __name__ == "__main__":
    stage(main, "train")
