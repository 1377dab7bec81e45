"""What prediction needs of a trained model, whatever computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instrec.audio.decoding import cut
from instrec.errors import UserError

FloatArray = NDArray[np.float32]

MIN_HOP_SECONDS = 0.1
HOP_SHARE = 1 / 6  # of a window, from one to the next; from benchmarks/timelines.py


@dataclass(frozen=True)
class WindowClassifier:
    """What names instruments in windows of sound.

    Attributes
    ----------
    classes : what it tells apart.
    thresholds : for each class, the activation from which it is detected.
    sample_rate : Hz, of the sound it takes.
    window : length of a window in samples.
    grid : windows that are so many samples apart, or a multiple of it, share what is computed of their sound.
    features : a stretch of sound [shape=(samples,), or (samples, parts) as `separate` gives it] and a step in samples
        -> features of the windows every step.
    network : features -> presence [shape=(windows, classes)], times the probability that any instrument sounds
        where the model counts.
    separate : a block of sound [shape=(samples,)] -> the part of it that the model knows, or a pair of parts
        [shape=(samples, 2)]; None for the sound itself.
    block : length in samples of the blocks that `separate` takes; the last one of a sound is shorter.
    """

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    sample_rate: int
    window: int
    grid: int
    features: Callable[[FloatArray, int], FloatArray]
    network: Callable[[FloatArray], FloatArray]
    separate: Callable[[FloatArray], FloatArray] | None = None
    block: int = 0

    def hop(self, seconds: float | None = None, *, share: float = HOP_SHARE) -> int:
        """Return the hop between windows in samples, on the model's grid; by default, `share` of a window.

        Raises
        ------
        UserError
            When `seconds` is not between 0.1 s and a window.
        """
        longest = self.window / self.sample_rate
        if seconds is None:
            seconds = share * longest
        elif not (isinstance(seconds, int | float | np.number) and MIN_HOP_SECONDS <= seconds <= longest):
            raise UserError(
                "value-out-of-range",
                f"hop of {seconds:g} s" if isinstance(seconds, int | float | np.number) else f"hop of {seconds!r}",
                f"allowed is {MIN_HOP_SECONDS:g} to {longest:g}, a window",
            )
        steps = min(round(seconds * self.sample_rate / self.grid), self.window // self.grid)
        return max(1, steps) * self.grid

    def sounds(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Return blocks of a sound, cut anew if the model separates them, each with what is cut into windows of it."""
        if self.separate is None:
            return ((block, block) for block in blocks)
        return ((block, self.separate(block)) for block in cut(blocks, self.block))
