"""Rendering on a Dask cluster: its workers are processes of this machine, against one process without a cluster.

The last row has clips that cost nothing to make: as many as the stage can take from any cluster. A line before the rows
tells what moves over the network for a clip.

python -m benchmarks.cluster
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks import side_by_side
from benchmarks.side_by_side import ROOT, Row
from instrec import params
from instrec.corpus.manifest import CLEAN, NOISY, SCORE, Clip
from instrec.synthesis.rendering import Renderer
from instrec.util import parallel

WORKERS = (1, 2, 4)
WARM, CLIPS = 96, 320  # before the clock starts, as every worker loads its SoundFont, and while it runs
TURNS = 3
PARAMETERS = params.load(ROOT / "params.yaml")


def clip(number: int) -> Clip:
    """A clip of one instrument, every other one noisy."""
    label = PARAMETERS.classes[number % len(PARAMETERS.classes)]
    name, noise = f"train/{number}", NOISY if number % 2 else CLEAN
    return Clip(name, "train", SCORE, "", 0.0, (label,), name, PARAMETERS.soundfonts.train[0], noise, 20)


def free(_: Clip) -> np.ndarray:
    """A clip that costs nothing to make, as large as others; noise does not compress on its way."""
    return _NOISE


_NOISE = np.random.default_rng(0).integers(-(2**15), 2**15, PARAMETERS.clip.samples, dtype=np.int16)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start a scheduler and workers as the documentation does; return the address."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())

        def started(*arguments: str) -> subprocess.Popen[bytes]:
            log = stack.enter_context(Path(folder, f"{arguments[0]}.log").open("wb"))
            process = subprocess.Popen([sys.executable, "-m", "dask", *arguments], cwd=ROOT, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        file = Path(folder, "scheduler.json")
        started("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        started(
            "worker", "--scheduler-file", str(file), "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard"
        )
        yield address(file, workers)


def address(file: Path, workers: int) -> str:
    """Wait until all workers are there."""
    from distributed import Client

    while not file.exists():
        time.sleep(0.1)
    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)
        return str(client.scheduler.address)


def rate(function: Callable[[Clip], np.ndarray], address: str = "") -> tuple[float, float]:
    """Return clips per second, and bytes per clip over the loopback, once all workers are under way."""
    results = parallel.ordered_map(
        function, map(clip, range(WARM + CLIPS + 8 * parallel.CHUNK)), workers=1, cluster=address
    )
    start = moved = 0.0
    for number, _ in enumerate(results, 1):
        if number == WARM:
            start, moved = time.perf_counter(), loopback()
        if number == WARM + CLIPS:
            break
    found = CLIPS / (time.perf_counter() - start), (loopback() - moved) / CLIPS
    for _ in results:  # what is under way ends
        pass
    return found


def loopback() -> int:
    """Bytes that this machine has sent to itself."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def compared() -> Iterator[Row]:
    render = Renderer(PARAMETERS, ROOT / "data")

    def clips(function: Callable[[Clip], np.ndarray], where: str = "") -> Callable[[], float]:
        return lambda: rate(function, where)[0]

    for workers in WORKERS:
        with cluster(workers) as where:
            rates = {"cluster": clips(render, where), "one process": clips(render)}
            yield from side_by_side.rows(f"rendering, cluster of {workers}", "clips/s", rates, TURNS)
            if workers == 2:
                print(f"{rate(render, where)[1] / 1000:.0f} kB per clip move over the network", flush=True)
                rates = {"free": clips(free, where), "two workers": clips(render, where)}
                yield from side_by_side.rows("clips that cost nothing, cluster of 2", "clips/s", rates, TURNS)


if __name__ == "__main__":
    side_by_side.shown(compared())
