"""Parallel work in one place: results come in the order of the items, whatever the number of workers.

Workers are processes of this machine, or those of a running Dask cluster.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from instrec.errors import UserError
from instrec.util import provenance
from instrec.util.processes import blocked

CHUNK = 16  # items per message; two workers render 1.25 times as much as one with 1, and 1.75 times as much with 16

# What a terminal sends to every process. It is the parent's own affair, also while a worker loads its modules.
_PARENTS = (signal.SIGINT, signal.SIGHUP)

SILENCE = 15.0  # seconds after which a cluster's scheduler or workers count as dead; busy ones take some to answer
_INTERVAL = 3.0  # seconds between looks at a cluster that gives nothing

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
    """Apply a function to every item in several processes, and return the results in order.

    At most two messages per worker are under way, so memory stays bounded even if the reader is slow. Workers are
    spawned, not forked: FluidSynth and TensorFlow have threads of their own.

    Parameters
    ----------
    function : importable by name, as processes need it.
    workers : processes of this machine; 0 for one per core; 1 works in this process.
    cluster : address of a Dask scheduler, whose workers then do the work; others take over from one that dies.
    chunk : items per message.

    Raises
    ------
    UserError
        If a worker is killed, for example for want of memory; if the cluster cannot be reached, has no workers,
        workers that share their memory between threads, or workers with other code.
    """
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1 and not cluster:
        yield from map(function, items)
        return
    pending: deque[Future[tuple[list[Result], Exception | None]]] = deque()
    remaining = iter(items)
    with _cluster(cluster) if cluster else _processes(workers) as (pool, size, check):
        while messages := list(islice(remaining, chunk)):
            with blocked(*_PARENTS):
                pending.append(pool.submit(_apply, function, messages))
            if len(pending) >= 2 * size:
                yield from _given(pending.popleft(), check)
        while pending:
            yield from _given(pending.popleft(), check)


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int, Callable[[], None]]]:
    with blocked(*_PARENTS):
        spawning = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=spawning, initializer=_follow_parent)
    try:
        yield pool, workers, lambda: None  # the pool itself notices a dead worker
    except BrokenProcessPool as error:
        raise UserError(
            "worker-killed",
            "",
            "a worker process was killed (out of memory?); set fewer workers in params.yaml and run again",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int, Callable[[], None]]]:
    from distributed import Client, KilledWorker  # takes a second to load, and most never need it

    where, start = f"params.yaml: cluster: {address}", f"dask worker {address} --nthreads 1"
    try:
        # Results come from the workers themselves where they can be reached, and else through the scheduler.
        client = Client(address, timeout=10, set_as_default=False, direct_to_workers=True)
    except (OSError, ValueError) as error:
        raise UserError(
            "cluster-unreachable", where, f"cannot be reached ({error}); start it: dask scheduler"
        ) from error
    watch = _Watch(client, where, start)
    try:
        workers = watch.workers()
        if not workers:
            raise UserError("cluster-without-workers", where, f"has no workers; start some, in this folder: {start}")
        if max(worker["nthreads"] for worker in workers.values()) > 1:  # its FluidSynth and SoundFonts serve one thread
            raise UserError("cluster-threads", where, f"a worker has several threads; start each with one: {start}")
        try:
            codes = client.run(_code, on_error="return", callback_timeout=SILENCE).values()
        except TimeoutError as error:
            raise UserError(
                "cluster-silent", where, f"a worker does not answer; end it and start another, in this folder: {start}"
            ) from error
        if any(code != provenance.CODE for code in codes):
            raise UserError(
                "cluster-code-differs",
                where,
                f"a worker runs other code than this; start all again, in this folder: {start}",
            )
        # Not pure: equal calls are no reason to keep their results.
        yield client.get_executor(pure=False), len(workers), watch.check
    except KilledWorker as error:
        raise UserError(
            "cluster-killed-workers", where, f"workers died over the same work ({error}); run again with more memory"
        ) from error
    except (CancelledError, asyncio.CancelledError) as error:
        raise watch.lost from error
    finally:
        client.close(timeout=5)


class _Watch:
    """Checks that a silent cluster still works, without relying on the clocks of other machines."""

    def __init__(self, client: Any, where: str, start: str) -> None:
        self._client, self._where, self._start = client, where, start
        self._seen, self._since = 0.0, time.monotonic()
        self.lost = UserError(
            "cluster-silent",
            where,
            f"the scheduler does not answer any more; start it and its workers again: dask scheduler; {start}",
        )

    def workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of its workers, by address; raise where it is silent."""
        try:
            identity = self._client.sync(self._client.scheduler.identity, callback_timeout=SILENCE)
        except OSError as error:
            raise self.lost from error
        return dict(identity["workers"])

    def check(self) -> None:
        """Raise where the scheduler is silent, or all of its workers are gone or silent."""
        workers = self.workers()
        seen = max((worker["last_seen"] for worker in workers.values()), default=self._seen)
        if seen > self._seen:
            self._seen, self._since = seen, time.monotonic()
        if time.monotonic() - self._since > SILENCE:
            what = "no worker has answered" if workers else "there has been no worker"
            raise UserError(
                "cluster-silent",
                self._where,
                f"{what} for {SILENCE:.0f} s; end those that hang, start others, in this folder: "
                f"{self._start}; then run again",
            )


def _code() -> str:
    """In a worker: the code that it runs."""
    return provenance.CODE


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> tuple[list[Result], Exception | None]:
    """In a worker: the results up to the first error, and that error."""
    results: list[Result] = []
    for item in chunk:
        try:
            results.append(function(item))
        except Exception as error:
            return results, error
    return results, None


def _given(message: Future[tuple[list[Result], Exception | None]], check: Callable[[], None]) -> Iterator[Result]:
    while True:
        try:
            results, error = message.result(timeout=_INTERVAL)
            break
        except TimeoutError:
            check()
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
