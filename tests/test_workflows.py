"""The workflows' own steps, read from .github/workflows, run in clones of a repository with real git and real DVC.

A script stands for GitHub's command `gh`.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from instrec.tracking.gate import rules
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


@pytest.fixture
def github(tmp_path) -> GitHub:
    folder = tmp_path / "github"
    folder.mkdir()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    return GitHub(folder)


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


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a branch for whatever a pull request may bring."""
    folder = toy_pipeline.make(tmp_path_factory.mktemp("workflows") / "repository")

    def rebuilt(learning_rate: float) -> Callable[[Path], None]:
        def change(tree: Path) -> None:
            toy_pipeline.set_learning_rate(tree, learning_rate)
            toy_pipeline.rebuild(tree)

        return change

    def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
        return lambda tree: toy_pipeline.replace(tree, file, old, new)

    def without_a_metric(tree: Path) -> None:
        toy_pipeline.replace(tree, "toy.py", '"top1", ', "")
        toy_pipeline.rebuild(tree)

    branches = {
        "better": rebuilt(0.004),
        "noise": rebuilt(0.0029),
        "worse": rebuilt(0.002),
        "not-rebuilt": edited("params.yaml", "learning_rate: 0.003", "learning_rate: 0.004"),
        "broken-lock": edited("dvc.lock", "schema:", "<<<<<<< HEAD\nschema:"),
        "tampered-data": edited("data.dvc", "md5: ", "md5: 0"),
        "tampered-metrics": edited("metrics/test.json", "0.6", "0.9"),
        "missing-metric": without_a_metric,
    }
    for name, change in branches.items():
        toy_pipeline.branch(folder, name, change)
    return folder


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


class TestGate:
    @pytest.mark.parametrize(
        ("branch", "reason"),
        [
            ("better", None),
            ("noise", None),
            ("worse", "`unseen_clean.solo.top1` got worse by 0.1000"),
            ("not-rebuilt", "`dvc.lock` is stale: stage `train` was last run with another `train`"),
            ("broken-lock", "DVC cannot read the pipeline"),
            ("tampered-data", "the frozen test data changed"),
            ("tampered-metrics", "`metrics/test.json` is not what stage `evaluate` wrote"),
            ("missing-metric", "missing, though the base has them: `seen_clean.solo.top1`"),
        ],
    )
    def test_a_branch_is_judged_and_the_page_shown(self, origin, tmp_path, github, branch, reason):
        job = gate_job(origin, tmp_path / branch, branch, github)
        assert job.failed == ([] if reason is None else ['make gate BASE="origin/$GITHUB_BASE_REF"']), job
        assert job.summary.startswith("## ✅ Gate passed" if reason is None else "## ❌ Gate failed")
        assert reason is None or f"\n- {reason}" in job.summary
        assert github.comment == job.summary
        marks = {"better": "**better**", "noise": "within noise", "worse": "**worse**"}
        assert branch not in marks or f"| {marks[branch]} |" in job.summary

    def test_from_a_fork_there_is_the_summary_alone(self, origin, tmp_path, github):
        job = gate_job(origin, tmp_path / "fork", "better", github, pull_request="")
        assert job.failed == []
        assert job.summary.startswith("## ✅ Gate passed")
        assert github.calls == []

    def test_a_mistake_is_shown_too(self, origin, tmp_path, github):
        job = gate_job(origin, tmp_path / "mistake", "better", github, GITHUB_BASE_REF="nope")
        assert job.failed == ['make gate BASE="origin/$GITHUB_BASE_REF"']
        assert job.summary.startswith("## ❌ Gate: cannot judge\n\norigin/nope: git knows no such commit")
        assert github.comment == job.summary

    @pytest.mark.parametrize("failing", ["the set-up", "whatever comes before"])
    def test_a_page_of_an_earlier_run_is_never_shown(self, origin, tmp_path, github, failing):
        """A runner of your own keeps its folder, and with it what another pull request was told."""
        folder = tmp_path / "kept"
        kept = gate_job(origin, folder, "better", github)
        assert kept.summary
        pages = (folder / "gate.md", folder.with_suffix(".temp") / "gate.md")
        pages[0].write_text(kept.summary)  # as `make gate` does where there is no RUNNER_TEMP
        (github.folder / "calls").unlink()
        if failing == "the set-up":
            (folder / ".venv/.dvc").unlink()
            (folder / ".venv/bin/pip").write_text("#!/bin/sh\nexit 1\n")
            (folder / ".venv/bin/pip").chmod(0o755)
        else:
            toy_pipeline.replace(folder, "Makefile", "gate: forget $(VENV)/.dvc\n\t", "gate:\n\t@exit 3; ")
        job = run_gate(folder, github)
        assert len(job.failed) == 2
        assert job.summary == ""
        assert github.calls == []

    def test_without_a_runner_a_page_of_before_goes_first(self, origin, tmp_path):
        folder = toy_pipeline.clone(origin, tmp_path / "clone", "better")
        for target in ("gate", "repro"):
            (folder / "gate.md").write_text("old")
            (folder / ".venv/.built").unlink(missing_ok=True)
            (folder / ".venv/bin/pip").write_text("#!/bin/sh\nexit 1\n")
            (folder / ".venv/bin/pip").chmod(0o755)
            done = subprocess.run(["make", target], cwd=folder, env=toy_pipeline.environment(), capture_output=True)
            assert done.returncode
            assert not (folder / "gate.md").exists()

    def test_without_a_page_the_comment_is_one_line(self, origin, tmp_path):
        folder = toy_pipeline.clone(origin, tmp_path / "clone", "main")
        done = subprocess.run(
            ["make", "comment"], cwd=folder, env=toy_pipeline.environment(), text=True, capture_output=True
        )
        assert done.returncode
        (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
        assert line.startswith("error: gate.md: not there")


class TestRepro:
    @pytest.fixture
    def bare(self, origin, tmp_path) -> Path:
        """What is pushed to; a remote for models and data is known to all branches."""
        toy_pipeline.run(origin, "git", "clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
        return tmp_path / "bare"

    def job(self, bare: Path, folder: Path, branch: str, github: GitHub, change: str = "") -> Job:
        folder = toy_pipeline.clone(bare, folder, branch)
        if change:
            toy_pipeline.run(folder, "bash", "-ec", change)
        return run_job(
            "repro.yml",
            folder,
            {
                "github.token": TOKEN,
                "github.event.pull_request.number": "7",
                "github.base_ref || github.event.repository.default_branch": "main",
            },
            {"PATH": f"{github.folder}:{PATH}"},
        )

    def test_it_rebuilds_commits_and_judges(self, bare, tmp_path, github):
        before = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt").strip()
        job = self.job(bare, tmp_path / "first", "not-rebuilt", github)
        assert job.failed == [], job
        assert "Running stage 'train'" in job.steps["make repro"][1]
        assert "no default remote" in job.steps["make save"][1]
        shown = toy_pipeline.run(bare, "git", "log", "--format=%an %s", "--name-only", f"{before}..not-rebuilt").split(
            "\n"
        )
        assert shown[0] == "github-actions[bot] dvc repro: dvc.lock and metrics"
        changed = {"dvc.lock", "metrics/per_class.csv", "metrics/plots/f1.csv", "metrics/test.json"}
        assert set(filter(None, shown[1:])) == changed
        assert job.summary.startswith("## ✅ Gate passed")
        assert "| `train.learning_rate` | `0.003` | `0.004` |" in job.summary
        assert github.comment == job.summary
        # What was pushed is judged the same by the other workflow, and rebuilt once more it changes nothing.
        assert gate_job(bare, tmp_path / "second", "not-rebuilt", github).failed == []
        after = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt")
        again = self.job(bare, tmp_path / "third", "not-rebuilt", github)
        assert "nothing to save" in again.steps["make save"][1]
        assert toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt") == after

    def test_what_fails_the_gate_is_committed_all_the_same(self, bare, tmp_path, github):
        job = self.job(
            bare, tmp_path / "clone", "not-rebuilt", github, "sed -i s/0.004/0.001/ params.yaml; git commit -qam worse"
        )
        assert job.failed == ["make gate"]
        assert "got worse by 0.2000" in job.summary
        assert "learning_rate: 0.001" in toy_pipeline.run(bare, "git", "show", "not-rebuilt:dvc.lock")

    def test_models_go_to_a_default_remote(self, bare, tmp_path, github):
        store = tmp_path / "store"
        change = f"dvc remote add --default team {store}; git commit -qam remote"
        job = self.job(bare, tmp_path / "clone", "not-rebuilt", github, change)
        assert job.failed == [], job
        lock = yaml.safe_load(toy_pipeline.run(bare, "git", "show", "not-rebuilt:dvc.lock"))
        model = next(out["md5"] for out in lock["stages"]["train"]["outs"] if out["path"].endswith(".keras"))
        assert (store / "files/md5" / model[:2] / model[2:]).exists()

    def test_a_failed_stage_commits_nothing(self, bare, tmp_path, github):
        before = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt")
        change = "echo 'raise SystemExit(3)' > toy.py; git commit -qam broken"
        job = self.job(bare, tmp_path / "clone", "not-rebuilt", github, change)
        assert job.failed == ["make repro", "make comment"]
        assert "gate.md: not there" in job.steps["make comment"][1]
        assert toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt") == before

    def test_nothing_is_saved_without_a_branch(self, bare, tmp_path):
        folder = toy_pipeline.clone(bare, tmp_path / "clone", "better")
        toy_pipeline.run(folder, "git", "switch", "--quiet", "--detach")
        done = subprocess.run(
            ["make", "save"], cwd=folder, env=toy_pipeline.environment(), text=True, capture_output=True
        )
        assert done.returncode
        assert "error: no branch is checked out to push to" in done.stderr


class TestDocument:
    BLOCKS = re.findall(
        r"(?:^    .*\n|^\n(?=    ))+", (toy_pipeline.ROOT / "docs/pull-requests.md").read_text(), re.MULTILINE
    )

    def test_its_commands_run(self, origin, tmp_path):
        commands = [block for block in self.BLOCKS if "instrec gate main " in block]
        assert len(commands) == 1
        folder = toy_pipeline.clone(origin, tmp_path / "clone", "better")
        toy_pipeline.run(folder, "git", "branch", "main", "origin/main")
        printed = toy_pipeline.run(folder, "bash", "-ec", f"PATH=$PWD/.venv/bin:$PATH\n{commands[0]}")
        assert printed.count("## ✅ Gate passed") == 3
        assert (folder / "gate.md").read_text() * 3 == printed
        # The pages it shows are laid out as pages are.
        headings = re.findall(r"^#+ [^:\n]+|^\| metric.*|^\| param.*|^<details>.*?:", printed, re.MULTILINE)
        shown = "".join(self.BLOCKS)
        assert [each for each in headings if each not in shown] == []

    def test_its_rules_are_rules(self, tmp_path):
        (text,) = [block for block in self.BLOCKS if "- {metric" in block]
        (tmp_path / "gate.yaml").write_text(text)
        assert [rule.direction for rule in rules.load(tmp_path / "gate.yaml")] == ["higher", "lower"]


class TestSyntax:
    @pytest.mark.parametrize("file", sorted(WORKFLOWS.iterdir()), ids=lambda file: file.name)
    def test_every_step_is_a_pinned_action_or_a_make_target(self, file):
        workflow = yaml.safe_load(file.read_text())
        assert workflow.keys() <= {"name", True, "permissions", "concurrency", "jobs"}  # YAML reads `on` as true
        assert workflow["permissions"]["contents"] in ("read", "write")  # what is not named is denied
        targets = re.findall(r"^([\w ]+):", (toy_pipeline.ROOT / "Makefile").read_text(), re.MULTILINE)
        for job in workflow["jobs"].values():
            assert {"runs-on", "steps", "timeout-minutes"} <= job.keys() <= {
                "if", "runs-on", "steps", "timeout-minutes", "env"
            }  # fmt: skip
            for step in job["steps"]:
                assert step.keys() <= {"uses", "with", "run", "if", "env"}
                if "uses" in step:
                    assert re.fullmatch(r"actions/\w[\w-]*@[0-9a-f]{40}", step["uses"])  # a tag can be moved
                    assert re.search(rf"uses: {step['uses']} # v\d+\.\d+\.\d+$", file.read_text(), re.MULTILINE)
                else:
                    assert re.fullmatch(r"make (\w+)( BASE=\"[^\"]+\")?", step["run"])[1] in targets

    def test_what_may_write_is_never_run_for_a_fork(self):
        repro = yaml.safe_load((WORKFLOWS / "repro.yml").read_text())
        assert repro["permissions"]["contents"] == "write"
        assert "github.event.pull_request.head.repo.full_name == github.repository" in repro["jobs"]["repro"]["if"]
        for file in WORKFLOWS.iterdir():
            workflow = yaml.safe_load(file.read_text())
            assert "pull_request_target" not in workflow[True]
            assert file.name == "repro.yml" or workflow.get("permissions", {}).get("contents") != "write"
