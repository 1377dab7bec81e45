"""Packages of npm's registry at pinned versions: each has a checksum, and npm's settings can name a mirror."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import subprocess
import tarfile
import tempfile
from pathlib import Path

from instrec.errors import UserError, one_line

_log = logging.getLogger(__name__)


def fetch(folder: Path, package: str, integrity: str, *, terms: str, remedy: str) -> None:
    """Fetch a package's files into a folder, with none of its scripts run; a folder that is there is not fetched again.

    Parameters
    ----------
    package : `name@version`.
    integrity : SHA-512 of the archive, as npm writes it: `sha512-` and base64.
    terms : license and holder, which the log shows before anything is fetched.
    remedy : what the user can do besides a network or a mirror; ends the message of the error.

    Raises
    ------
    UserError
        If npm is not installed, the package cannot be reached, or its archive is another one or damaged.
    """
    if folder.is_dir():
        return
    _log.info("%s: %s", package, terms)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
        archive = _archive(Path(scratch), package, remedy)
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            reason = f"its archive has {found} instead of {integrity}; correct the integrity, or {remedy}"
            raise UserError("checksum-mismatch", package, reason)
        try:
            with tarfile.open(archive) as files:
                files.extractall(scratch, filter="data")
            (Path(scratch) / "package").rename(folder)
        except (tarfile.TarError, OSError) as error:
            raise UserError("archive-refused", package, f"cannot be unpacked: {one_line(error)}; {remedy}") from error


def _archive(folder: Path, package: str, remedy: str) -> Path:
    retries = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
    command = ["npm", "pack", package, "--json", "--ignore-scripts", *retries, f"--pack-destination={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        said = json.loads(done.stdout)
    except FileNotFoundError as error:
        reason = f"npm, which fetches it, is not installed; sudo apt-get install npm, or {remedy}"
        raise UserError("package-missing", package, reason) from error
    except ValueError:
        said = {"error": {"summary": done.stderr}}
    if done.returncode:
        raise UserError(
            "download-failed",
            package,
            f"cannot be fetched: {one_line(said['error']['summary'])}; run it again with a network, point npm's "
            f"setting `registry` to a mirror, or {remedy}",
        )
    return folder / str(said[0]["filename"])
