"""Progress: a bar on a terminal, and a line now and then in a log."""

from __future__ import annotations

import io
import math
import sys
import time
from collections.abc import Iterable
from typing import Any

import tqdm as terminal

EVERY_SECONDS = 60.0


def tqdm(items: Iterable[Any] | None = None, **options: Any) -> Any:
    """Return tqdm's bar on a terminal; in a log, the same as lines: the first, the last, and one per minute.

    Parameters
    ----------
    items, options : as tqdm has them. With `disable=None` there is nothing in a log.
    """
    return (terminal.tqdm if sys.stderr.isatty() else _Lines)(items, **options)


class _Lines(terminal.tqdm):  # type: ignore[misc]
    _written = -math.inf

    def __init__(self, items: Iterable[Any] | None, **options: Any) -> None:
        # `display` writes the lines; what tqdm itself writes, to move the cursor, is read by nobody.
        form = "{desc}: {n_fmt}/{total_fmt} {unit} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
        super().__init__(items, **options, file=io.StringIO(), bar_format=form, mininterval=EVERY_SECONDS, miniters=1)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        now = time.monotonic()
        if msg is None and (self.disable or now - self._written >= EVERY_SECONDS):  # it is disabled before the last
            self._written = now
            print(self, file=sys.stderr, flush=True)
