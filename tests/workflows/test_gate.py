"""The steps of gate.yml, run in clones of a repository with real git and real DVC.

A script stands for GitHub's command `gh`.
"""

import subprocess

import pytest

from tests import toy_pipeline
from tests.refusals import assert_one_line
from tests.workflows.github import gate_job, run_gate


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
def test_a_branch_is_judged_and_the_page_shown(origin, tmp_path, github, branch, reason):
    job = gate_job(origin, tmp_path / branch, branch, github)
    assert job.failed == ([] if reason is None else ['make gate BASE="origin/$GITHUB_BASE_REF"']), job
    assert job.summary.startswith("## ✅ Gate passed" if reason is None else "## ❌ Gate failed")
    assert reason is None or f"\n- {reason}" in job.summary
    assert github.comment == job.summary
    marks = {"better": "**better**", "noise": "within noise", "worse": "**worse**"}
    assert branch not in marks or f"| {marks[branch]} |" in job.summary


def test_from_a_fork_there_is_the_summary_alone(origin, tmp_path, github):
    job = gate_job(origin, tmp_path / "fork", "better", github, pull_request="")
    assert job.failed == []
    assert job.summary.startswith("## ✅ Gate passed")
    assert github.calls == []


def test_a_mistake_is_shown_too(origin, tmp_path, github):
    job = gate_job(origin, tmp_path / "mistake", "better", github, GITHUB_BASE_REF="nope")
    assert job.failed == ['make gate BASE="origin/$GITHUB_BASE_REF"']
    assert job.summary.startswith("## ❌ Gate: cannot judge\n\norigin/nope: git knows no such commit")
    assert github.comment == job.summary


@pytest.mark.parametrize("failing", ["the set-up", "whatever comes before"])
def test_a_page_of_an_earlier_run_is_never_shown(origin, tmp_path, github, failing):
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


def test_without_a_runner_a_page_of_before_goes_first(origin, tmp_path):
    folder = toy_pipeline.clone(origin, tmp_path / "clone", "better")
    for target in ("gate", "repro"):
        (folder / "gate.md").write_text("old")
        (folder / ".venv/.built").unlink(missing_ok=True)
        (folder / ".venv/bin/pip").write_text("#!/bin/sh\nexit 1\n")
        (folder / ".venv/bin/pip").chmod(0o755)
        done = subprocess.run(["make", target], cwd=folder, env=toy_pipeline.environment(), capture_output=True)
        assert done.returncode
        assert not (folder / "gate.md").exists()


def test_without_a_page_the_comment_is_one_line(origin, tmp_path):
    folder = toy_pipeline.clone(origin, tmp_path / "clone", "main")
    done = subprocess.run(
        ["make", "comment"], cwd=folder, env=toy_pipeline.environment(), text=True, capture_output=True
    )
    assert done.returncode
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert_one_line(f"{line}\n", "gate.md")
