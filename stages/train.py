"""Stage train: spectrograms to a model."""

import sys
from pathlib import Path

from instrec import checkout, params, training
from instrec.errors import run


def main() -> None:
    """Write models/classifier.keras, models/history.csv and models/speed.json."""
    files = training.Files(
        spectrograms=Path("build/spectrograms"),
        manifest=Path("build/manifest.csv"),
        data=Path("data"),
        model=Path("models/classifier.keras"),
        history=Path("models/history.csv"),
        speed=Path("models/speed.json"),
        backup=checkout.repository() / ".backup",
    )
    training.train(params.load(), files)


if __name__ == "__main__":
    sys.exit(run(main))
