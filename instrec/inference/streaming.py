"""Live sound: blocks in, activations out, as soon as a window is full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from instrec.audio import arrays
from instrec.errors import UserError
from instrec.inference.activations import window_activations
from instrec.inference.cutter import Cutter
from instrec.inference.window_classifier import FloatArray, WindowClassifier


@dataclass(frozen=True)
class Activation:
    """What a model gives for one window.

    Attributes
    ----------
    start, end : of the window, in seconds since the stream began.
    presence : np.ndarray [shape=(classes,)], 0..1, in the order of the model's classes; zero where it is silent.
    """

    start: float
    end: float
    presence: FloatArray


class Stream:
    """A stream of sound at `sample_rate`; feed it with blocks of any length, and end it where it ends.

    >>> import instrec, numpy as np
    >>> model = instrec.load_model()
    >>> stream = model.stream(44100, hop_seconds=1.0)
    >>> seconds = [np.zeros(44100, np.float32)] * 5
    >>> [round(each.end) for each in stream.run(seconds)]
    [3, 4, 5]
    """

    def __init__(self, model: WindowClassifier, sample_rate: int, hop: int) -> None:
        self._model, self._hop = model, hop
        self._resampler = arrays.Resampler(sample_rate, model.sample_rate)
        self._cutter = Cutter(model.window, hop)
        self._ended = False

    def feed(self, block: np.ndarray) -> Iterator[Activation]:
        """Take a block of samples; give each window that is full now.

        Parameters
        ----------
        block : np.ndarray [shape=(samples,) or (samples, channels)], floating point in -1..1, or integers whose range
            is full scale, as microphones give them.

        Raises
        ------
        UserError
            When a sample is no number, the block has another shape or type, or the stream has ended.
        """
        self._require_open()
        yield from self._given(self._cutter.add(self._resampler.add(arrays.mono(np.asarray(block)))))

    def end(self) -> Iterator[Activation]:
        """Give the last window, which ends where the stream does.

        Raises
        ------
        UserError
            When it has ended before.
        """
        self._require_open()
        self._ended = True
        yield from self._given(self._cutter.add(self._resampler.end()))
        yield from self._given(self._cutter.end())

    def run(self, blocks: Iterable[np.ndarray]) -> Iterator[Activation]:
        """Feed all blocks, and end."""
        for block in blocks:
            yield from self.feed(block)
        yield from self.end()

    def _require_open(self) -> None:
        if self._ended:
            raise UserError("stream-ended", "stream", "has ended; begin another with model.stream(sample_rate)")

    def _given(self, stretches: Iterable[tuple[int, FloatArray]]) -> Iterator[Activation]:
        rate = self._model.sample_rate
        for onset, stretch in stretches:
            onsets, presence, _ = window_activations(self._model, onset, stretch, self._hop)
            length = min(len(stretch), self._model.window)
            for start, each in zip(onsets.tolist(), presence, strict=True):
                yield Activation(start / rate, (start + length) / rate, each)
