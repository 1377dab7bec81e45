"""Stage synthesize: the manifest to sound, one HDF5 file per split."""

from pathlib import Path

from instrec.util.processes import stage


def main() -> None:
    """Write build/audio/SPLIT.h5 for every split of the manifest."""
    from instrec import params
    from instrec.corpus import manifest
    from instrec.synthesis import rendering, writing

    settings = params.load()
    clips = manifest.read(Path("build/manifest.csv"))
    writing.write_splits(Path("build/audio"), clips, rendering.Renderer(settings, Path("data")))


if __name__ == "__main__":
    stage(main, "synthesize")
