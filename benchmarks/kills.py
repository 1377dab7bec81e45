"""What kills leave behind: `python -m benchmarks.kills [--kills 100] [--seed 0]`.

Builds the miniature of the pipeline once. Then, again and again, a stage is run anew and killed at a random moment: the
whole process group, DVC alone or the stage alone, by KILL, TERM or INT. Now and then a second `dvc repro` runs beside
it instead. After each kill nothing may run on, and `dvc repro` must end with the same outputs and no part of a file.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.miniature import dvc, environment, make_repository, outputs

STAGES = ("download", "balance", "synthesize", "spectrograms", "train", "evaluate")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS = ("group", "dvc", "stage", "second run")
PATIENCE = 30.0  # seconds for what was started to end


@dataclass(frozen=True)
class Kill:
    """What is killed, how, and where on the way through a run of the stage."""

    stage: str
    target: str
    signal: signal.Signals
    share: float


def kills(seed: int) -> Iterator[Kill]:
    """Draw kills without end."""
    chance = random.Random(seed)
    while True:
        yield Kill(chance.choice(STAGES), chance.choice(TARGETS), chance.choice(SIGNALS), chance.random())


def run(repository: Path, kill: Kill, seconds: float) -> list[str]:
    """Run a stage anew, kill it, and go on; return what was wrong afterwards.

    Parameters
    ----------
    seconds : that a run of the stage takes when nothing kills it.
    """
    before = outputs(repository)
    process = started(repository, kill.stage)
    time.sleep(kill.share * seconds)
    if kill.target == "second run":
        started(repository, kill.stage).wait()
    elif kill.target == "group":
        os.killpg(process.pid, kill.signal)
    elif victim := process if kill.target == "dvc" else of_stage(process.pid):
        os.kill(victim.pid, kill.signal)
    process.wait()
    wrong = [f"still running: {' '.join(each.cmdline())}" for each in left(repository)]
    said = dvc(repository, "repro", check=False)
    if outputs(repository) != before:
        wrong.append(f"other outputs than before, or a failure: {said[-500:]}")
    wrong += [f"left behind: {path}" for path in repository.rglob("*.part")]
    return wrong


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


def of_stage(dvc_process: int) -> psutil.Process | None:
    """Return the process of the stage below DVC, if it runs."""
    try:
        children = psutil.Process(dvc_process).children(recursive=True)
        return next((each for each in children if any(word.startswith("stages.") for word in each.cmdline())), None)
    except psutil.Error:
        return None


def left(repository: Path) -> list[psutil.Process]:
    """Return the processes that still work in the repository when they have had time to end."""
    end = time.monotonic() + PATIENCE
    while (found := list(working(repository))) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def working(repository: Path) -> Iterator[psutil.Process]:
    for each in psutil.process_iter():
        try:
            if each.status() != psutil.STATUS_ZOMBIE and Path(each.cwd()) == repository:
                yield each
        except (psutil.Error, OSError):
            continue


def main() -> int:
    """Print a line for each kill, and counts at the end; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "repository")
        dvc(repository, "repro")
        seconds = {}
        for stage in STAGES:
            begin = time.monotonic()
            started(repository, stage).wait()
            seconds[stage] = time.monotonic() - begin
        for number, kill in zip(range(args.kills), kills(args.seed), strict=False):
            wrong = run(repository, kill, seconds[kill.stage])
            counts["wrong" if wrong else "right"] += 1
            print(number, kill.stage, kill.target, kill.signal.name, f"{kill.share:.2f}", *wrong, sep="  ", flush=True)
    print(f"{args.kills} kills: {counts['right']} right, {counts['wrong']} wrong")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
