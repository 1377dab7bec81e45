"""Stage balance: files and quotas to the manifest."""

from pathlib import Path

from instrec.processes import stage


def main() -> None:
    """Write build/manifest.csv, one row a clip."""
    from instrec import balance, manifest, params
    from instrec.sources import holdings, index

    settings = params.load()
    entries, held = index.read(Path("datasets")), holdings.read(Path("datasets/soundfonts.csv"))
    manifest.write(Path("build/manifest.csv"), balance.make(settings, entries, Path("data"), held))


if __name__ == "__main__":
    stage(main, "balance")
