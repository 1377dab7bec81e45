"""A server on this machine that knows comments as GitHub does, and what runs a workflow's own steps."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests import toy_pipeline

WORKFLOWS = toy_pipeline.ROOT / ".github/workflows"


ACTIONS = {"actions/checkout", "actions/setup-python"}  # what `toy_pipeline.clone` stands for


TOKEN = "a token"


MARKER = "<!-- instrec gate -->"


@dataclass
class GitHub:
    """The comments of one pull request, number 7 of owner/name."""

    url: str = ""
    comments: list[dict] = field(default_factory=list)
    status: int = 200  # of whatever writes

    def say(self, body: str, kind: str = "User") -> None:
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"type": kind}})

    def answer(self, method: str, path: str, query: dict[str, int], body: dict | None) -> tuple[int, object]:
        """Do as GitHub's documentation of "REST API endpoints for issue comments" says."""
        if method == "GET" and path == "/repos/owner/name/issues/7/comments":
            start = (query["page"] - 1) * query["per_page"]
            return 200, self.comments[start : start + query["per_page"]]
        if self.status != 200:
            return self.status, {"message": "Resource not accessible by integration"}
        if method == "POST" and path == "/repos/owner/name/issues/7/comments":
            self.say(body["body"], "Bot")
            return 201, self.comments[-1]
        number = re.fullmatch(r"/repos/owner/name/issues/comments/(\d+)", path)
        assert method == "PATCH", (method, path)
        self.comments[int(number[1]) - 1]["body"] = body["body"]
        return 200, self.comments[int(number[1]) - 1]

    def by_bots(self) -> list[str]:
        return [each["body"] for each in self.comments if each["user"]["type"] == "Bot"]


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


def gate_job(origin: Path, folder: Path, branch: str, github: GitHub, **environment: str) -> Job:
    return run_gate(toy_pipeline.clone(origin, folder, branch), github, **environment)


def run_gate(folder: Path, github: GitHub, **environment: str) -> Job:
    return run_job(
        "gate.yml",
        folder,
        {"github.token": TOKEN, "github.event.pull_request.number": "7"},
        {"GITHUB_BASE_REF": "main", "GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "owner/name", **environment},
    )
