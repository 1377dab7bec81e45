"""The number of workers changes nothing but the time; every way to fail ends soon and says why."""

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from instrec.errors import UserError
from instrec.util import parallel, provenance
from instrec.util.parallel import CHUNK, ordered_map
from tests.refusals import refused

pytestmark = pytest.mark.long

WORKERS = 3


def slow_square(number: int) -> int:
    time.sleep(0.01 * (number % 3))  # later items are done before earlier ones
    return number * number


def own_process(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def stumble(number: int, *, over: int) -> int:
    if number == over:
        raise ValueError(f"stumbled over {number}")
    return number


def refuse(number: int) -> int:
    raise UserError("file-empty", f"{number}.wav", "replace it")


def die(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_one_worker_gives_what_several_give():
    expected = [number * number for number in range(40)]
    assert list(ordered_map(slow_square, range(40), workers=1)) == expected
    assert list(ordered_map(slow_square, range(40), workers=WORKERS)) == expected


def test_nothing_in_gives_nothing_out():
    for workers in (0, 1, WORKERS):
        assert list(ordered_map(slow_square, [], workers=workers)) == []


def test_work_is_spread_and_one_worker_is_this_process():
    assert set(ordered_map(own_process, range(3), workers=1)) == {os.getpid()}
    others = set(ordered_map(own_process, range(4 * CHUNK), workers=2))
    assert len(others) == 2
    assert os.getpid() not in others


@pytest.mark.parametrize("workers", [1, 2])
def test_it_looks_ahead_no_further_than_two_messages_a_worker(workers):
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = ordered_map(slow_square, endless(), workers=workers)
    for given in range(1, 12):
        assert next(results) == given * given
        assert taken - given <= (2 * workers * CHUNK if workers > 1 else 1)
    assert isinstance(results, Generator)
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_raised_arrives_where_the_result_would(workers):
    results = ordered_map(functools.partial(stumble, over=3), range(10), workers=workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="stumbled over 3"):
        next(results)
    with refused("file-empty", "0.wav"):
        next(ordered_map(refuse, range(10), workers=workers))


def test_a_killed_worker_is_told_with_what_to_do():
    with refused("worker-killed", "", "params.yaml"):
        list(ordered_map(die, range(10_000), workers=2))


def test_a_cluster_gives_what_this_machine_gives(cluster):
    found = ordered_map(slow_square, range(40), cluster=cluster.address, chunk=3)
    assert list(found) == [number * number for number in range(40)]
    ours = set(ordered_map(own_process, range(12), cluster=cluster.address, chunk=1))
    assert len(ours) == 2
    assert os.getpid() not in ours


def test_what_a_cluster_raises_arrives_where_the_result_would(cluster):
    results = ordered_map(functools.partial(stumble, over=3), range(10), cluster=cluster.address)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="stumbled over 3"):
        next(results)
    with refused("file-empty", "0.wav"):
        next(ordered_map(refuse, range(10), cluster=cluster.address))


def test_a_cluster_s_worker_that_is_killed_half_way_loses_nothing(cluster):
    """The others do what it had; here a third one joins, takes its share, and is killed."""
    third = cluster.start()
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=60)
        results = ordered_map(own_process, range(60), cluster=cluster.address, chunk=1)
        first = [next(results) for _ in range(12)]
        assert third.pid in first
        third.kill()
        rest = list(results)
    assert len(first) + len(rest) == 60
    assert third.pid not in rest[-20:]


def test_a_cluster_that_cannot_work_is_told_of():
    with refused("cluster-unreachable", "params.yaml: cluster: tcp://127.0.0.1:9", "dask scheduler"):
        list(ordered_map(own_process, range(3), cluster="tcp://127.0.0.1:9"))
    with refused("cluster-unreachable", "params.yaml: cluster: nonsense://x", "dask scheduler"):
        list(ordered_map(own_process, range(3), cluster="nonsense://x"))
    here = {"processes": False, "protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": None}
    with (
        LocalCluster(n_workers=0, **here) as local,
        refused(
            "cluster-without-workers",
            f"params.yaml: cluster: {local.scheduler_address}",
            f"dask worker {local.scheduler_address}",
        ),
    ):
        list(ordered_map(own_process, range(3), cluster=local.scheduler_address))
    two_threads = LocalCluster(n_workers=1, threads_per_worker=2, **here)
    with (
        two_threads as local,
        refused("cluster-threads", f"params.yaml: cluster: {local.scheduler_address}", "--nthreads 1"),
    ):
        list(ordered_map(own_process, range(3), cluster=local.scheduler_address))


def test_a_cluster_that_was_started_with_other_code_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(provenance, "CODE", "what it has become since")
    with refused("cluster-code-differs", f"params.yaml: cluster: {cluster.address}", f"dask worker {cluster.address}"):
        next(ordered_map(own_process, range(3), cluster=cluster.address))


WORK = """
import signal, sys, time
from instrec.errors import run
from instrec.util.parallel import CHUNK, ordered_map

def main():
    for _ in ordered_map(time.sleep, [0.01] * 5 + [0.1] * 1000, workers=3):
        print("one", flush=True)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are told to ignore it
    sys.exit(run(main))
"""


def working(folder) -> subprocess.Popen[str]:
    """A process of its own group, as a shell starts it, that is in the midst of its work."""
    script = folder / "work.py"
    script.write_text(WORK)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True, text=True, **pipes)
    assert process.stdout
    for _ in range(6):
        assert process.stdout.readline() == "one\n"
    return process


def test_ctrl_c_ends_all_processes_with_one_line(tmp_path):
    process = working(tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # the terminal sends it to all of them
    # The workers hold the pipes as well: this returns only when they too have ended.
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors.count("\n")) == (130, 1), errors


def test_workers_end_when_their_parent_is_killed(tmp_path):
    process = working(tmp_path)
    process.kill()
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL


@pytest.fixture
def own_cluster(tmp_path) -> Iterator[tuple[str, subprocess.Popen[bytes], list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, its process, and two workers: to be killed."""
    root, file = str(Path(__file__).parents[2]), tmp_path / "scheduler.json"
    options: dict[str, Any] = {"cwd": root, "env": {**os.environ, "PYTHONPATH": f"{root}:{root}/tests"}}
    options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask, place = [sys.executable, "-m", "dask"], ["--scheduler-file", str(file), "--host", "127.0.0.1"]
    scheduler = subprocess.Popen([*dask, "scheduler", *place, "--port", "0", "--no-dashboard"], **options)
    command = [*dask, "worker", *place, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(command, **options) for _ in range(2)]
    try:
        with Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, scheduler, workers
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()


@pytest.fixture
def impatient(monkeypatch) -> Callable[[], None]:
    """Wait for a cluster no longer than three seconds from then on: what is dead says nothing in fifteen, either."""

    def lessen() -> None:
        monkeypatch.setattr(parallel, "SILENCE", 3.0)
        monkeypatch.setattr(parallel, "_INTERVAL", 0.5)

    return lessen


@pytest.mark.parametrize(
    ("who", "sent", "named"),
    [
        ("scheduler", signal.SIGKILL, "dask scheduler"),
        ("scheduler", signal.SIGSTOP, "dask scheduler"),
        ("workers", signal.SIGKILL, "no worker"),
        ("workers", signal.SIGSTOP, "no worker"),
    ],
)
def test_a_cluster_that_dies_or_freezes_is_told_soon(own_cluster, impatient, who, sent, named):
    address, scheduler, workers = own_cluster
    results = ordered_map(time.sleep, [0.05] * 10_000, cluster=address, chunk=1)
    for _ in range(6):
        next(results)
    impatient()
    for process in [scheduler] if who == "scheduler" else workers:
        process.send_signal(sent)
    began = time.monotonic()
    with refused("cluster-silent", f"params.yaml: cluster: {address}", named, f"dask worker {address}"):
        list(results)
    assert time.monotonic() - began < 30


def test_workers_frozen_before_the_work_are_told(own_cluster, impatient):
    address, _, workers = own_cluster
    workers[0].send_signal(signal.SIGSTOP)
    impatient()
    with refused("cluster-silent", f"params.yaml: cluster: {address}", f"dask worker {address}"):
        next(ordered_map(time.sleep, [0.05] * 100, cluster=address))
