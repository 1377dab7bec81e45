"""Stage download: find what params.yaml names, verify it, list what is usable and what is not."""

import sys
from pathlib import Path

from instrec import checkout, params
from instrec.errors import run
from instrec.sources import corpora, folder, index, midi, soundfonts


def main() -> None:
    """Write datasets/soundfonts.csv, datasets/index.csv and datasets/excluded.csv."""
    settings = params.load()
    checkout.check_sources(settings.sources)
    datasets, sources = Path("datasets"), settings.sources
    classes, workers = settings.classes, settings.workers
    soundfonts.write(datasets / "soundfonts.csv", settings.soundfonts, settings.classes)
    recordings, unusable = folder.scan(Path(sources.recordings), classes=classes, workers=workers)
    windows, unfit = midi.scan(Path(sources.midi), seconds=settings.clip.seconds, classes=classes, workers=workers)
    published, refused = corpora.scan(sources, classes=classes, workers=workers)
    index.write(datasets, recordings + windows + published, unusable + unfit + refused)
    found = f"{len(recordings)} recordings, {len(windows)} MIDI windows, {len(published)} files of data sets"
    print(f"{found}; left out: {len(unusable) + len(unfit) + len(refused)}, see excluded.csv")


if __name__ == "__main__":
    sys.exit(run(main))
