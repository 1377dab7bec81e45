"""Stage train: spectrograms to a model."""

from pathlib import Path

from instrec.processes import stage


def main() -> None:
    """Write models/classifier.keras, models/history.csv and models/speed.json."""
    from instrec import checkout, params, training

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
    stage(main, "train")
