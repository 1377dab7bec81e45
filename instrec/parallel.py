"""Work on many items at once, in one place: results come in the order of the items, whoever works on them.

Those are processes of this machine, or the workers of a Dask cluster that runs already.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from instrec import checkout
from instrec.errors import UserError
from instrec.processes import unheard

CHUNK = 16  # items a message; with one, two workers rendered 1.25 times what one does, with 16 1.75 times

# What a terminal sends to every process. It is the parent's own affair, also while a worker loads its modules.
_PARENTS = (signal.SIGINT, signal.SIGHUP)

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 0,
    cluster: str = "",
    chunk: int = CHUNK,
) -> Iterator[Result]:
    """Apply a function to every item in several processes and give the results in order.

    At most two messages a worker are under way, so memory stays bounded however slow the reader is. Workers are
    spawned, not forked: FluidSynth and TensorFlow have threads of their own.

    Parameters
    ----------
    function : importable by name, as processes need it.
    workers : processes of this machine; 0 for one a core; 1 works in this process.
    cluster : address of a Dask scheduler, whose workers then do it instead; one that dies is made up for by the others.
    chunk : items a message.

    Raises
    ------
    UserError
        When a worker is killed (by the system for want of memory, say); when the cluster cannot be reached, has no
        workers, workers that share their memory between threads, or workers with other code.
    """
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1 and not cluster:
        yield from map(function, items)
        return
    pending: deque[Future[tuple[list[Result], Exception | None]]] = deque()
    remaining = iter(items)
    with _cluster(cluster) if cluster else _processes(workers) as (pool, size):
        while messages := list(islice(remaining, chunk)):
            with unheard(*_PARENTS):
                pending.append(pool.submit(_apply, function, messages))
            if len(pending) >= 2 * size:
                yield from _given(pending.popleft())
        while pending:
            yield from _given(pending.popleft())


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int]]:
    with unheard(*_PARENTS):
        spawning = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=spawning, initializer=_follow_parent)
    try:
        yield pool, workers
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed (out of memory?); set fewer workers in params.yaml and run again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    from distributed import Client, KilledWorker  # takes a second to load, and most never need it

    where, start = f"params.yaml: cluster: {address}", f"dask worker {address} --nthreads 1"
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{where}: cannot be reached ({error}); start it: dask scheduler") from error
    try:
        threads = client.nthreads()
        if not threads:
            raise UserError(f"{where}: has no workers; start some, in this folder: {start}")
        if max(threads.values()) > 1:  # a worker's FluidSynth and its SoundFonts serve one thread
            raise UserError(f"{where}: a worker has several threads; start each with one: {start}")
        if any(code != checkout.CODE for code in client.run(_code, on_error="return").values()):
            raise UserError(f"{where}: a worker runs other code than this; start all again, in this folder: {start}")
        # Not pure: equal calls are no reason to keep their results.
        yield client.get_executor(pure=False), len(threads)
    except KilledWorker as error:
        raise UserError(f"{where}: workers died over the same work ({error}); run again with more memory") from error
    finally:
        client.close()


def _code() -> str:
    """In a worker: the code that it runs."""
    return checkout.CODE


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> tuple[list[Result], Exception | None]:
    """In a worker: the results up to the first error, and that error."""
    results: list[Result] = []
    for item in chunk:
        try:
            results.append(function(item))
        except Exception as error:
            return results, error
    return results, None


def _given(message: Future[tuple[list[Result], Exception | None]]) -> Iterator[Result]:
    results, error = message.result()
    yield from results
    if error:
        raise error


def _follow_parent() -> None:
    """End when the parent was killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
