"""Public git repositories at pinned commits: the commit is the checksum, and git's `insteadOf` can name a mirror."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterable
from pathlib import Path

from instrec.errors import UserError, one_line

_log = logging.getLogger(__name__)


def fetch(checkout: Path, url: str, commit: str, patterns: Iterable[str], *, terms: str, remedy: str) -> None:
    """Fetch some files of a commit into a folder; files that are there are not fetched again.

    Parameters
    ----------
    patterns : the files, as patterns of a sparse checkout.
    terms : license and holder, which the log shows before anything is fetched.
    remedy : what the user can do besides a network or a mirror; ends the message of the error.

    Raises
    ------
    UserError
        If the repository cannot be reached or does not have the commit.
    """
    begun = (checkout / ".git/info/sparse-checkout").is_file()
    if not begun:
        _log.info("%s: %s", url, terms)
        checkout.mkdir(parents=True, exist_ok=True)
    try:
        _git(checkout, "init", "--quiet")
        for key, value in (("url", url), ("promisor", "true"), ("partialclonefilter", "blob:none")):
            _git(checkout, "config", f"remote.origin.{key}", value)
        _git(checkout, "sparse-checkout", *(["add"] if begun else ["set", "--no-cone"]), *patterns)
        _git(checkout, "fetch", "--quiet", "--depth=1", "--filter=blob:none", "origin", commit)
        _git(checkout, "checkout", "--quiet", "--detach", commit)
    except subprocess.CalledProcessError as error:
        raise UserError(
            "download-failed",
            url,
            f"cannot be fetched: {one_line(error.stderr)}; run it again with a network, point git's "
            f"url.<mirror>.insteadOf to a copy, or {remedy}",
        ) from error


def _git(checkout: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "gc.auto=0", "-C", checkout, *arguments], check=True, capture_output=True, text=True)
