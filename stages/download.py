"""Stage download: find what params.yaml names, verify it, list what is usable and what is not."""

from pathlib import Path

from instrec.processes import stage


def main() -> None:
    """Write datasets/soundfonts.csv, datasets/index.csv and datasets/excluded.csv."""
    from instrec import checkout, params
    from instrec.sources import corpora, folder, index, midi, soundfonts

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
    stage(main, "download")
