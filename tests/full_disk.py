"""A small disk for temporary files, which a program fills up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]
_MOUNT = 'mount -t tmpfs -o size="$1"k none "$TMPDIR" && shift && exec "$@"'


def python(folder: Path, kilobytes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with TMPDIR on a disk of its own, mounted where only it sees it: at an existing folder."""
    if subprocess.run([*_OWN_MOUNTS, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets no user mount a disk of his own")
    return subprocess.run(
        [*_OWN_MOUNTS, "sh", "-c", _MOUNT, "sh", str(kilobytes), sys.executable, *arguments],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
