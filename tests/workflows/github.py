"""What stands for GitHub's command `gh`, and what runs a workflow's own steps."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests import toy_pipeline

WORKFLOWS = toy_pipeline.ROOT / ".github/workflows"


ACTIONS = {"actions/checkout", "actions/setup-python"}  # what `toy_pipeline.clone` stands for


TOKEN = "a token"
PATH = toy_pipeline.environment()["PATH"]
# Writes down which comment it is asked to make; that it edits its last one is GitHub's own work.
GH = """#!/bin/sh
[ "$GH_TOKEN" = "a token" ] || exit 4
echo "$*" >>"$(dirname "$0")/calls"
cat >"$(dirname "$0")/comment"
"""
CALL = "pr comment 7 --edit-last --create-if-none --body-file -"


@dataclass(frozen=True)
class GitHub:
    """Stands for GitHub's command `gh`, which needs an account."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """How it was called."""
        return (self.folder / "calls").read_text().splitlines() if (self.folder / "calls").exists() else []

    @property
    def comment(self) -> str:
        """The comment on pull request 7; empty where there is none."""
        assert set(self.calls) <= {CALL}
        return (self.folder / "comment").read_text() if self.calls else ""


@dataclass(frozen=True)
class Job:
    """How a workflow's job went: the exit code and the words of each step, and the summary."""

    steps: dict[str, tuple[int, str]]
    summary: str

    @property
    def failed(self) -> list[str]:
        return [step for step, (code, _) in self.steps.items() if code]


def run_job(name: str, folder: Path, expressions: dict[str, str], environment: dict[str, str]) -> Job:
    """Run the `run:` lines of a workflow as GitHub does: by `bash -e`, until one fails, then only what runs even so."""
    workflow = yaml.safe_load((WORKFLOWS / name).read_text())
    (job,) = workflow["jobs"].values()

    def filled(variables: dict[str, str]) -> dict[str, str]:
        """Put values for `${{ … }}`; an expression that the test does not know is an error."""
        return {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: expressions[found[1]], value)
            for key, value in variables.items()
        }

    summary = folder.with_suffix(".summary.md")
    summary.write_text("")
    own = folder.with_suffix(".temp")  # which a runner empties before each job
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    shared = toy_pipeline.environment(
        **environment, GITHUB_STEP_SUMMARY=str(summary), RUNNER_TEMP=str(own), **filled(job.get("env", {}))
    )
    steps: dict[str, tuple[int, str]] = {}
    for step in job["steps"]:
        if "uses" in step:
            assert step["uses"].partition("@")[0] in ACTIONS
            continue
        assert "${{" not in step["run"], "what strangers name must reach a shell as a variable only"
        if any(code for code, _ in steps.values()) and step.get("if") != "${{ !cancelled() }}":
            continue
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder,
            env=shared | filled(step.get("env", {})),
            text=True,
            capture_output=True,
        )
        steps[step["run"]] = done.returncode, done.stdout + done.stderr
    return Job(steps, summary.read_text())


def gate_job(origin: Path, folder: Path, branch: str, github: GitHub, **more: str) -> Job:
    return run_gate(toy_pipeline.clone(origin, folder, branch), github, **more)


def run_gate(folder: Path, github: GitHub, pull_request: str = "7", **environment: str) -> Job:
    return run_job(
        "gate.yml",
        folder,
        {
            "github.token": TOKEN,
            "!github.event.pull_request.head.repo.fork && github.event.pull_request.number || ''": pull_request,
        },
        {"GITHUB_BASE_REF": "main", "PATH": f"{github.folder}:{PATH}", **environment},
    )
