"""Experiments, by the commands of docs/experiments.md in a fresh clone: in the workspace, in their own folders, queued.

The queue is killed while one trains, and goes on. Meanwhile the workspace has other code than what was queued.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import documented
import pytest
import toy_pipeline

COMMANDS = documented.commands("experiments.md")
CODE = "instrec/scoring.py"
LINE = "    table = summary(parts, rounds=rounds, seed=seed)\n"
MARKED = LINE + '    table["checkout"] = {"queued": 1}\n'
FAILS = {"instrec gate HEAD": 1}  # the miniature reaches no floor of gate.yaml


@dataclass
class Trial:
    """A clone in which the page's commands were run, one after the other, and what each said."""

    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)

    def run(self, command: str) -> str:
        path = f"{self.folder / '.venv/bin'}:{os.environ['PATH']}"
        with tempfile.TemporaryFile(
            "w+"
        ) as output:  # a pipe would be held open by the worker that `dvc queue start` leaves
            done = subprocess.run(
                ["bash", "-euc", command],
                cwd=self.folder,
                env=toy_pipeline.environment(PATH=path),
                stdout=output,
                stderr=output,
            )
            output.seek(0)
            said = output.read()
        assert done.returncode == FAILS.get(command, 0), (command, said)
        self.said.append((command, said))
        return said

    def of(self, beginning: str) -> str:
        """What the last command that begins so has said."""
        return next(said for command, said in reversed(self.said) if command.startswith(beginning))

    def write(self, text: str) -> None:
        (self.folder / CODE).write_text(text)

    def waits(self, until: Callable[[], bool], seconds: float = 300) -> None:
        for _ in range(int(seconds / 0.01)):
            if until():
                return
            time.sleep(0.01)
        raise AssertionError(self.run("dvc queue status; tail -n 50 .dvc/tmp/exps/celery/*.out"))

    def kill_the_queue(self) -> None:
        """As a machine that goes down would: worker, experiment and stage at once."""
        worker = int((self.folder / ".dvc/tmp/exps/celery/dvc-exp-worker-1.pid").read_text())
        os.killpg(os.getpgid(worker), signal.SIGKILL)

    def status(self) -> dict[str, str]:
        """The states of what was queued; of one queued twice, the later's."""
        rows = re.findall(r"^\w{7} +(\S+) +\S+ [AP]M +(\w+)", self.run("dvc queue status"), re.MULTILINE)
        return dict(reversed(rows))


@pytest.fixture(scope="module")
def trial(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("experiments")
    toy_pipeline.run(folder, "git", "clone", "--quiet", str(miniature), "origin")
    origin = folder / "origin"
    toy_pipeline.run(origin, "git", "switch", "--quiet", "--create", "main")
    for name in ("dvc.lock", "metrics"):
        toy_pipeline.run(miniature, "cp", "-r", name, str(origin))
    toy_pipeline.commit(origin, "Results")
    trial = Trial(toy_pipeline.clone(origin, folder / "clone", "main"))
    plain = (trial.folder / CODE).read_text()
    assert plain.count(LINE) == 1
    for command in COMMANDS:
        if command.startswith(("dvc exp run --temp", "dvc exp run --queue")):
            trial.write(plain.replace(LINE, MARKED))
        elif command == "dvc queue start":
            trial.write("raise SystemExit('the code of the workspace')")
        elif command == "dvc queue remove blocks-2":
            trial.run("dvc queue remove lenet")  # tests/test_pipeline.py runs recipes
        elif command == "dvc queue kill rate-2":
            trial.waits(lambda: any(trial.folder.glob(".backup/*/history.json")))
            trial.kill_the_queue()
            assert trial.status() == {"rate-1": "Success", "rate-2": "Running", "blocks-1": "Queued"}
        elif command == "dvc queue logs rate-2":
            trial.waits(lambda: set(trial.status().values()) == {"Success"})
            trial.write(plain)
        trial.run(command)
    return trial


NAMES = {"slow", "wide", "rate-1", "rate-2", "blocks-1"}


def figures(trial: Trial, name: str) -> dict[str, dict]:
    (commit,) = toy_pipeline.run(
        trial.folder, "git", "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}"
    ).split()
    return json.loads(toy_pipeline.run(trial.folder, "git", "show", f"{commit}:metrics/test.json"))


def test_transcript(trial):
    Path("/tmp/w/exps-try/said.json").write_text(json.dumps(trial.said, indent=1))
    Path("/tmp/w/exps-try/where").write_text(str(trial.folder))
