"""Stage download: find what params.yaml names, verify it, list what is usable and what is not."""

from pathlib import Path

from instrec.util.processes import stage


def main() -> None:
    """Write datasets/soundfonts.csv, datasets/index.csv and datasets/excluded.csv."""
    from instrec import params
    from instrec.corpus import index, midi_files, published, recordings
    from instrec.synthesis.soundfonts import catalog
    from instrec.util import provenance

    settings = params.load()
    provenance.check_sources(settings.sources)
    datasets, sources = Path("datasets"), settings.sources
    classes, workers = settings.classes, settings.workers
    catalog.write(datasets / "soundfonts.csv", settings.soundfonts, settings.classes)
    recorded, unusable = recordings.scan(Path(sources.recordings), classes=classes, workers=workers)
    windows, unfit = midi_files.scan(
        Path(sources.midi), seconds=settings.clip.seconds, classes=classes, workers=workers
    )
    of_datasets, refused = published.scan(sources, classes=classes, workers=workers)
    index.write(datasets, recorded + windows + of_datasets, unusable + unfit + refused)
    found = f"{len(recorded)} recordings, {len(windows)} MIDI windows, {len(of_datasets)} files of datasets"
    print(f"{found}; left out: {len(unusable) + len(unfit) + len(refused)}, see excluded.csv")


if __name__ == "__main__":
    stage(main, "download")
