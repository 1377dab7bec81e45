"""Experiments, by the commands of docs/experiments.md in a fresh clone: in the workspace, in their own folders, queued.

The queue is killed while one trains, and goes on. Meanwhile the workspace has other code than what was queued.
"""

from __future__ import annotations

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

import pytest
import yaml

from tests import documented, toy_pipeline
from tests.miniature import mirrored, ran

pytestmark = pytest.mark.long

COMMANDS = documented.commands("experiments.md")
CODE = "instrec/evaluation/test_sets.py"
# Code that leaves a mark in the metrics.
MARK = """

_plain = write


def write(*args: Any, **options: Any) -> dict[str, Any]:
    table = _plain(*args, **options) | {"checkout": {"queued": 1}}
    (args[0] / "test.json").write_text(json.dumps(table))
    return table
"""
NAMES = {"slow", "wide", "rate-1", "rate-2", "blocks-1"}
REFERENCES = ("git", "for-each-ref", "refs/exps/*/*/*")
FAILS = {"instrec dev gate HEAD": 1}  # the miniature reaches no floor of gate.yaml


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

    def judged(self, name: str) -> str:
        """What `instrec dev gate` says of the workspace against an experiment."""
        return toy_pipeline.run(self.folder, "bash", "-c", f"PATH=.venv/bin:$PATH; instrec dev gate {name} || true")

    def write(self, text: str) -> None:
        (self.folder / CODE).write_text(text)

    def waits(self, until: Callable[[], bool], pause: float) -> None:
        end = time.monotonic() + 600
        while time.monotonic() < end:
            if until():
                return
            time.sleep(pause)
        raise AssertionError(self.run("dvc queue status; tail -n 50 .dvc/tmp/exps/celery/*.out"))

    def kill_the_queue(self) -> None:
        """Do as a machine that goes down: worker, experiment and stage at once."""
        worker = int((self.folder / ".dvc/tmp/exps/celery/dvc-exp-worker-1.pid").read_text())
        os.killpg(os.getpgid(worker), signal.SIGKILL)

    def has_succeeded(self) -> bool:
        """Whether the queue is through. If its worker has ended too early, do as docs/experiments.md says."""
        if set(toy_pipeline.run(self.folder, *REFERENCES, "--format=%(refname:lstrip=4)").split()) >= NAMES:
            return set(self.status().values()) == {"Success"}
        worker = (self.folder / ".dvc/tmp/exps/celery/dvc-exp-worker-1.pid").read_text()
        if not Path("/proc", worker).exists():
            self.run("dvc queue start")
        return False

    def status(self) -> dict[str, str]:
        """The states of what was queued; of one queued twice, the later's."""
        rows = re.findall(r"^\w{7} +(\S+) +\S+ [AP]M +(\w+)", self.run("dvc queue status"), re.MULTILINE)
        return dict(rows)


@pytest.fixture(scope="module")
def trial(miniature: Path, module_folder: Path) -> Trial:
    folder = module_folder
    toy_pipeline.run(folder, "git", "clone", "--quiet", str(miniature), "origin")
    origin = folder / "origin"
    toy_pipeline.run(origin, "git", "switch", "--quiet", "--create", "main")
    for name in ("dvc.lock", "metrics"):
        toy_pipeline.run(miniature, "cp", "-r", name, str(origin))
    toy_pipeline.commit(origin, "Results")
    trial = Trial(toy_pipeline.clone(origin, folder / "clone", "main"))
    plain = (trial.folder / CODE).read_text()
    for command in COMMANDS:
        if command.startswith(("dvc exp run --temp", "dvc exp run --queue")):
            trial.write(plain + MARK)
        elif command == "dvc queue start":
            trial.write("raise SystemExit('the code of the workspace')")
        elif command == "dvc queue remove blocks-2":
            trial.run("dvc queue remove lenet")  # tests/test_recipes_as_experiments.py runs recipes
        elif command == "dvc queue kill rate-2":
            trial.waits(lambda: any(trial.folder.glob(".backup/*/history.zip")), pause=0.01)
            trial.kill_the_queue()
            assert trial.status() == {"rate-1": "Success", "rate-2": "Running", "blocks-1": "Queued"}
        elif command == "dvc queue logs rate-2":
            trial.waits(trial.has_succeeded, pause=3)
            trial.write(plain)
        trial.run(command)
    return trial


def figures(trial: Trial, name: str) -> dict[str, dict]:
    (commit,) = toy_pipeline.run(
        trial.folder, "git", "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}"
    ).split()
    return json.loads(toy_pipeline.run(trial.folder, "git", "show", f"{commit}:metrics/test.json"))


def test_three_commands_lead_from_a_clone_to_a_comparison(trial: Trial) -> None:
    assert [command for command, _ in trial.said][:3] == COMMANDS[:3]
    (_, _), (_, run), (_, page) = trial.said[:3]
    assert ran(run) == ["download", "balance", "synthesize", "spectrograms", "train", "evaluate"]
    assert "| `train.learning_rate` | `0.003` | `0.001` |" in page
    assert "`unseen_clean.solo.top1` | " in page


def test_names_are_wherever_experiments_are_shown(trial: Trial) -> None:
    table = trial.of("dvc exp show")
    assert {name for name in NAMES if f"[{name}]" in table} == NAMES
    assert "train.learning_rate" in table
    assert sorted(run.info.run_name for run in mirrored(trial.folder)) == sorted(NAMES)
    assert {run.data.tags["experiment"] for run in mirrored(trial.folder)} == NAMES
    plots = (trial.folder / "dvc_plots/index.html").read_text()
    assert {"rate-1", "rate-2"} <= set(re.findall(r'"rev": ?"(.*?)"', plots))
    assert "against `rate-2`" in trial.judged("rate-2")


def test_results_come_from_the_code_that_was_queued(trial: Trial) -> None:
    """Neither from that of the workspace, which has changed twice since, nor from an installed package."""
    marked = {run.info.run_name for run in mirrored(trial.folder) if "checkout.queued" in run.data.metrics}
    assert marked == NAMES - {"slow"}
    assert figures(trial, "rate-2")["checkout"] == {"queued": 1}


def test_an_interrupted_queue_goes_on_where_it_was(trial: Trial) -> None:
    assert trial.status() == {"rate-1": "Success", "rate-2": "Success", "blocks-1": "Success"}
    log = trial.of("dvc queue logs rate-2")
    assert ran(log) == ["train", "evaluate"]
    assert "going on after epoch" in log
    assert not list(trial.folder.glob(".backup/*"))


def test_one_is_taken_over(trial: Trial) -> None:
    parameters = yaml.safe_load((trial.folder / "params.yaml").read_text())
    assert parameters["train"]["learning_rate"] == 0.001  # of rate-1, applied
    assert json.loads((trial.folder / "metrics/test.json").read_text()) == figures(trial, "rate-1")
    branch = toy_pipeline.run(trial.folder, "git", "show", "try/rate-2:params.yaml")
    assert yaml.safe_load(branch)["train"]["learning_rate"] == 0.01
    assert "wide" not in trial.of("dvc exp list")


def words(text: str) -> str:
    return re.sub(r"-+", "-", " ".join(text.split()))


def test_the_page_shows_what_is_said(trial: Trial) -> None:
    """Line by line and word by word, but for lines with figures, which are another run's."""
    text = (documented.DOCS / "experiments.md").read_text()
    for command in COMMANDS:
        said = words(" ".join(each for own, each in trial.said if own == command))
        shown = re.findall(rf"^    \$ {re.escape(command)}\n((?:    (?!\$ ).*\n)*)", text, re.MULTILINE)
        for line in "".join(shown).splitlines():
            assert re.search(r"\d|…", line) or words(line) in said, (command, line)
