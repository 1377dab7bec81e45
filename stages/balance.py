"""Stage balance: files and quotas to the manifest."""

from pathlib import Path

from instrec.util.processes import stage


def main() -> None:
    """Write build/manifest.csv, one row per clip."""
    from instrec import params
    from instrec.corpus import balance, index, manifest, soundfont_programs

    settings = params.load()
    entries, held = index.read(Path("datasets")), soundfont_programs.read(Path("datasets/soundfonts.csv"))
    manifest.write(Path("build/manifest.csv"), balance.make(settings, entries, Path("data"), held))


if __name__ == "__main__":
    stage(main, "balance")
