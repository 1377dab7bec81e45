"""Packages of npm's registry at pinned versions: each has a checksum, and npm's settings can name a mirror."""

from __future__ import annotations

import base64
import hashlib
import logging
import subprocess
import tarfile
import tempfile
from pathlib import Path

from instrec.errors import UserError, one_line
from instrec.util import documents

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
        done = subprocess.run(command, capture_output=True, cwd=folder)
    except FileNotFoundError as error:
        reason = f"npm, which fetches it, is not installed; sudo apt-get install npm, or {remedy}"
        raise UserError("package-missing", package, reason) from error
    if done.returncode:
        raise UserError(
            "download-failed",
            package,
            f"cannot be fetched: {_fault(done)}; run it again with a network, point npm's setting `registry` to a "
            f"mirror, or {remedy}",
        )
    (archive,) = folder.glob("*.tgz")
    return archive


def _fault(done: subprocess.CompletedProcess[bytes]) -> str:
    try:
        return one_line(documents.parse_json(done.stdout, "npm pack")["error"]["summary"])
    except (UserError, KeyError, TypeError):  # npm itself fell over
        return one_line(done.stderr.decode(errors="replace"))
