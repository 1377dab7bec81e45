"""Stage synthesize: the manifest to sound, one HDF5 file per split."""

from pathlib import Path

from instrec.util.processes import stage


def main() -> None:
    """Write build/audio/SPLIT.h5 for every split of the manifest."""
    from instrec import params
    from instrec.corpus import manifest
    from instrec.synthesis import rendering

    settings = params.load()
    clips = manifest.read(Path("build/manifest.csv"))
    renderer = rendering.Renderer(settings, Path("data"))
    for split in manifest.splits(clips):
        rendering.write(Path("build/audio") / f"{split}.h5", manifest.of_split(clips, split), renderer)


if __name__ == "__main__":
    stage(main, "synthesize")
