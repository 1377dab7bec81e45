"""Stage balance: files and quotas to the manifest."""

import sys
from pathlib import Path

from instrec import balance, manifest, params
from instrec.errors import run
from instrec.sources import holdings, index


def main() -> None:
    """Write build/manifest.csv, one row a clip."""
    settings = params.load()
    entries, held = index.read(Path("datasets")), holdings.read(Path("datasets/soundfonts.csv"))
    manifest.write(Path("build/manifest.csv"), balance.make(settings, entries, Path("data"), held))


if __name__ == "__main__":
    sys.exit(run(main))
