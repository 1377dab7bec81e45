"""The queue of requests: first come, first served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 2
"""Files that are worked on side by side, so that a long one does not keep a short one waiting. The model takes all
cores for one already; each more costs about 100 MB."""


class Turns:
    """A line of requests, the first `AT_ONCE` of which are worked on. All calls come from one thread."""

    def __init__(self) -> None:
        self._line: list[Callable[[int], None]] = []

    @contextmanager
    def place(self, told: Callable[[int], None]) -> Iterator[None]:
        """Stand in line while the block lasts.

        Parameters
        ----------
        told : called with the number of files ahead, at once and after each change; below `AT_ONCE`, the turn begins.
        """
        self._line.append(told)
        told(len(self._line) - 1)
        try:
            yield
        finally:
            left = self._line.index(told)
            del self._line[left]
            for ahead, later in enumerate(self._line[left:], left):
                later(ahead)
