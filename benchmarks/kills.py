"""What kills leave behind: `python -m benchmarks.kills FOLDER [--kills 100] [--seed 0]`.

Builds the miniature of the pipeline in a folder, once. Then, again and again, a stage is run anew and killed at a
random moment: the whole process group, DVC alone or the stage alone, by KILL, TERM or INT. Or a second `dvc repro`
runs beside it. After each, nothing may run on, and `dvc repro` must end with the same dvc.lock and no part of a file.

The folder gets a line of `kills.jsonl` for each; the same command goes on after the last. A kill that came too late,
when all had ended, does not count.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.miniature import dvc, environment, make_repository

STAGES = ("download", "balance", "synthesize", "spectrograms", "train", "evaluate")
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
TARGETS = ("group", "dvc", "stage")
SECOND = "second run"  # no kill
PATIENCE = 30.0  # seconds for what was started to end


@dataclass(frozen=True)
class Kill:
    """What is killed, how, and where on the way through a run of the stage."""

    stage: str
    target: str
    signal: str
    share: float


@dataclass(frozen=True)
class Outcome:
    """What a kill led to.

    Attributes
    ----------
    reached : whether there was something to kill.
    emptied : whether DVC was killed as it wrote `.dvc/tmp/rwlock`, which its user has to remove.
    wrong : what must not be.
    log : what `dvc repro` printed afterwards, where something was wrong.
    """

    reached: bool
    emptied: bool
    wrong: list[str]
    log: str


def kills(seed: int) -> Iterator[Kill]:
    """Draw kills without end: all stages, targets and signals in a random order, then all in another."""
    chance = random.Random(seed)
    while True:
        each = [*itertools.product(STAGES, TARGETS, SIGNALS), *((stage, SECOND, "") for stage in STAGES)]
        yield from (Kill(*one, round(chance.random(), 3)) for one in chance.sample(each, len(each)))


class Seconds(NamedTuple):
    """How long DVC takes for a stage when nothing kills it: until the stage's own process starts, and as a whole."""

    before: float
    whole: float


def run(repository: Path, kill: Kill, seconds: Seconds) -> Outcome:
    """Run a stage anew, kill it, and go on."""
    lock = repository / "dvc.lock"
    before = lock.read_bytes()
    process = started(repository, kill.stage)
    stage = awaited(process) if kill.target == "stage" else None
    time.sleep(kill.share * (seconds.whole - (seconds.before if stage else 0)))
    reached = process.poll() is None and (stage.is_running() if stage else kill.target != "stage")
    if reached and kill.target == SECOND:
        started(repository, kill.stage).wait()
    elif reached and kill.target == "group":
        os.killpg(process.pid, signal.Signals[kill.signal])
    elif reached:
        (stage or process).send_signal(signal.Signals[kill.signal])
    process.wait()
    wrong = [f"still running: {name}" for name in left(repository)]
    rwlock = repository / ".dvc/tmp/rwlock"
    if emptied := rwlock.exists() and not rwlock.stat().st_size:
        rwlock.unlink()
    said = dvc(repository, "repro", check=False)
    if not lock.exists() or lock.read_bytes() != before:
        wrong.append("another dvc.lock")
        lock.write_bytes(before)
    if "up to date" not in (again := dvc(repository, "repro", check=False)):
        wrong.append("not up to date")
    wrong += [f"left behind: {path}" for path in repository.rglob("*.part")]
    return Outcome(reached, emptied, wrong, said + again if wrong else "")


def started(repository: Path, stage: str) -> subprocess.Popen[bytes]:
    """Start DVC on one stage, whether or not it is up to date, in a process group of its own."""
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", stage]
    return subprocess.Popen(
        command,
        cwd=repository,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def awaited(dvc_process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """Return the process of the stage below DVC as soon as it runs; None if DVC ends without one."""
    while dvc_process.poll() is None:
        try:
            for each in psutil.Process(dvc_process.pid).children(recursive=True):
                if any(word.startswith("stages.") for word in each.cmdline()):
                    return each
        except psutil.Error:
            continue
        time.sleep(0.02)
    return None


def left(repository: Path) -> list[str]:
    """Return the command lines that still work in the repository when they have had time to end; end them."""
    end = time.monotonic() + PATIENCE
    while (found := list(working(repository))) and time.monotonic() < end:
        time.sleep(0.2)
    for each in found:
        each.kill()
    return [str(each) for each in found]


def working(repository: Path) -> Iterator[psutil.Process]:
    for each in psutil.process_iter():
        try:
            if each.status() != psutil.STATUS_ZOMBIE and Path(each.cwd()) == repository:
                yield each
        except (psutil.Error, OSError):
            continue


def timed(repository: Path, stage: str) -> Seconds:
    begin = time.monotonic()
    process = started(repository, stage)
    awaited(process)
    before = time.monotonic() - begin
    process.wait()
    return Seconds(before, time.monotonic() - begin)


def main() -> int:
    """Print a line for each kill, and counts at the end; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    repository, log = args.folder.resolve() / "repository", args.folder / "kills.jsonl"
    args.folder.mkdir(parents=True, exist_ok=True)
    if not repository.exists():
        make_repository(repository)
    dvc(repository, "repro")
    seconds = {stage: timed(repository, stage) for stage in STAGES}
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    drawn = itertools.islice(kills(args.seed), len(done), None)
    while sum(each["reached"] for each in done) < args.kills:
        kill = next(drawn)
        outcome = run(repository, kill, seconds[kill.stage])
        done.append(asdict(kill) | asdict(outcome))
        with log.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(len(done), *asdict(kill).values(), *outcome.wrong, sep="  ", flush=True)
    return counted([each for each in done if each["reached"]])


def counted(done: list[dict[str, Any]]) -> int:
    for key in ("target", "signal", "stage"):
        counts = Counter((each[key] or SECOND, "wrong" if each["wrong"] else "right") for each in done)
        print(
            f"{key}:", *(f"{name} {number} {verdict}" for (name, verdict), number in sorted(counts.items())), sep="  "
        )
    wrong = sum(bool(each["wrong"]) for each in done)
    emptied = sum(each["emptied"] for each in done)
    print(f"{len(done)} kills: {len(done) - wrong} right, {wrong} wrong; DVC's rwlock empty after {emptied}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
