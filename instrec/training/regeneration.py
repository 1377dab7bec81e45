"""The synthesis loop: while a model trains on one round of clips, the next is composed, rendered and made noisy.

Every `train.regenerate_every` epochs, new clips replace the synthesized ones; recordings stay. Seed and round determine
every byte of a round, so a killed training finds or makes the same round again.

Source: Sethi et al., "Training deep convolutional networks with unlimited synthesis of musical examples for multiple
instrument recognition" (2018).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from instrec.errors import UserError
from instrec.training import clip_rounds
from instrec.training.clip_rounds import Sources


class Rounds:
    """Opens the store of the round of an epoch, and makes the next round in the background.

    `folder` never holds more than two rounds. The background processes end at the end of the `with` block, or with this
    process.
    """

    def __init__(self, sources: Sources, folder: Path) -> None:
        self._sources, self._folder = sources, folder
        self._train = sources.params.train
        self._work: _Work | None = None

    def __enter__(self) -> Rounds:
        self._end()  # what a killed training left
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def store(self, epoch: int) -> Path:
        """Return the features store for an epoch, counted from 0; wait until its round is complete.

        Raises
        ------
        UserError
            What went wrong in the background, for this round or the next.
        """
        every, number = self._train.regenerate_every, self._number(epoch)
        kept = {self._path(number), self._path(number + 1)}
        for old in set(self._folder.glob("*round-*.h5")) - kept - {clip_rounds.embeddings_of(path) for path in kept}:
            old.unlink()
        self._begin(number)
        if self._work and (self._work.number == number or self._work.has_ended):
            self._work.finish()
            self._work = None
        if every and (number + 1) * every < self._train.epochs:
            self._begin(number + 1)
        return self._path(number)

    def embeddings(self, epoch: int) -> Path | None:
        """Return the store of the teacher's embeddings for an epoch, after `store`; None without a teacher."""
        number = self._number(epoch)
        first = self._sources.embeddings
        return clip_rounds.embeddings_of(self._path(number)) if first and number else first

    def _number(self, epoch: int) -> int:
        every = self._train.regenerate_every
        return epoch // every if every else 0

    def _path(self, number: int) -> Path:
        return self._folder / f"round-{number}.h5" if number else self._sources.first

    def _begin(self, number: int) -> None:
        """Start a round, unless it exists or has started."""
        path = self._path(number)
        if path.exists() or (self._work and self._work.number == number):
            return
        self._end()
        self._work = _Work(path, self._sources, number)

    def _end(self) -> None:
        if self._work:
            self._work.end()
            self._work = None
        for part in self._folder.glob(".*round-*.part"):
            part.unlink()


class _Work:
    """A round in progress, in a separate process that starts further ones.

    It is no `multiprocessing.Process`, as that would import the main module, and so TensorFlow, in every process.
    """

    def __init__(self, path: Path, sources: Sources, number: int) -> None:
        self.number = number
        self._line, end = multiprocessing.Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from instrec.training import regeneration; regeneration.work({end.fileno()})"],
            pass_fds=[end.fileno()],
            start_new_session=True,  # Ctrl-C is this process's own affair
        )
        end.close()
        self._line.send((path, sources, number))

    @property
    def has_ended(self) -> bool:
        return self._line.poll()

    def finish(self) -> None:
        """Wait for the round; raise what went wrong."""
        try:
            error = self._line.recv()
        except (EOFError, OSError):
            error = UserError(
                "worker-killed",
                "",
                f"the process that made round {self.number} of the training clips was killed (out of memory?); "
                "set fewer workers in params.yaml and run again",
            )
        if error:
            raise error
        self._process.wait()
        self._line.close()

    def end(self) -> None:
        """Kill the process and those that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._line.close()


def work(descriptor: int) -> None:
    """Make the round that arrives in a pipe, and return None or the error; end when the other end is closed."""
    line = Connection(descriptor)
    task = line.recv()
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    try:
        clip_rounds.write(*task)
    except Exception as error:
        error.add_note(traceback.format_exc())
        line.send(error)
    else:
        line.send(None)


def _end_with(line: Connection) -> None:
    with suppress(EOFError, OSError):
        line.recv()
    os._exit(1)
