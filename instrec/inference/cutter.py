"""Cuts a stream of sound into windows that overlap, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from instrec.inference.window_classifier import FloatArray

BATCH = 32  # windows
LAST = 8  # windows in a stretch at the end of a stream, so that several threads share them


class Cutter:
    """Cuts a stream of blocks of any length into windows, one every `hop` samples and one that ends with it.

    Each stretch holds at least `least` windows and at most `BATCH`: (start in samples, np.ndarray [shape=(samples,), or
    (samples, parts) if blocks have parts]). A stretch is shorter than a window only if the whole stream is.
    """

    def __init__(self, window: int, hop: int, *, least: int = 1) -> None:
        self._window, self._hop, self._least = window, hop, least
        # As if a window had been taken one hop before the start: the last one needs what came before.
        self._onset, self._rest = -hop, np.zeros(hop, np.float32)

    def add(self, block: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        """Take a block; give the stretches that are full now."""
        if block.shape[1:] != self._rest.shape[1:]:  # the first block has parts
            self._rest = np.zeros((self._hop, *block.shape[1:]), np.float32)
        self._rest = np.concatenate([self._rest, block])
        return self._ready(self._least)

    def end(self) -> Iterator[tuple[int, FloatArray]]:
        """Give what is left; the last window ends where the stream does."""
        yield from self._ready(1, most=LAST)
        total = self._onset + len(self._rest)
        if self._onset < 0 < total:
            yield 0, self._rest[self._hop :]
        elif total > self._onset + self._window:
            yield total - self._window, self._rest[-self._window :]

    def _ready(self, least: int, most: int = BATCH) -> Iterator[tuple[int, FloatArray]]:
        while (number := min(most, (len(self._rest) - self._window) // self._hop)) >= least:
            stretch = self._rest[self._hop : number * self._hop + self._window]
            yield self._onset + self._hop, stretch
            self._onset, self._rest = self._onset + number * self._hop, self._rest[number * self._hop :]
