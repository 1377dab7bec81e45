"""Work on many items at once, in one place: results come in the order of the items, whatever the number of workers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from instrec.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 0) -> Iterator[Result]:
    """Apply a function to every item in `workers` processes and give the results in order.

    At most four items a worker are under way, so memory stays bounded however slow the reader is.
    Workers are spawned, not forked: FluidSynth and TensorFlow have threads of their own.

    Parameters
    ----------
    function : importable by name, as processes need it.
    workers : 0 for one a core; 1 works in this process.

    Raises
    ------
    UserError
        When a worker is killed (by the system for want of memory, say).
    """
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1:
        yield from map(function, items)
        return
    pending: deque[Future[Result]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_parent)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= 4 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed (out of memory?); set fewer workers in params.yaml and run again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """Leave Ctrl-C, which reaches every process, to the parent; end when the parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
