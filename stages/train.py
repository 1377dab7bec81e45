"""Stage train: spectrograms to a model."""

import sys
from pathlib import Path

from instrec import params, training
from instrec.errors import run


def main() -> None:
    """Write models/classifier.keras and models/history.csv."""
    training.train(
        params.load(),
        spectrograms=Path("build/spectrograms"),
        model_path=Path("models/classifier.keras"),
        history_path=Path("models/history.csv"),
        speed_path=Path("models/speed.json"),
        backup=Path(".backup"),
    )


if __name__ == "__main__":
    sys.exit(run(main))
