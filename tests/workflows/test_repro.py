"""The steps of repro.yml, run in clones of a repository with real git and real DVC."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests import toy_pipeline
from tests.workflows.github import PATH, TOKEN, GitHub, Job, gate_job, run_job


@pytest.fixture
def bare(origin, tmp_path) -> Path:
    """What is pushed to; a remote for models and data is known to all branches."""
    toy_pipeline.run(origin, "git", "clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    return tmp_path / "bare"


def repro_job(bare: Path, folder: Path, branch: str, github: GitHub, change: str = "") -> Job:
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


def test_it_rebuilds_commits_and_judges(bare, tmp_path, github):
    before = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt").strip()
    job = repro_job(bare, tmp_path / "first", "not-rebuilt", github)
    assert job.failed == [], job
    assert "Running stage 'train'" in job.steps["make repro"][1]
    assert "no default remote" in job.steps["make save"][1]
    shown = toy_pipeline.run(bare, "git", "log", "--format=%an %s", "--name-only", f"{before}..not-rebuilt").split("\n")
    assert shown[0] == "github-actions[bot] dvc repro: dvc.lock and metrics"
    changed = {"README.md", "dvc.lock", "metrics/per_class.csv", "metrics/plots/f1.csv", "metrics/test.json"}
    assert set(filter(None, shown[1:])) == changed
    assert job.summary.startswith("## ✅ Gate passed")
    assert "| `train.learning_rate` | `0.003` | `0.004` |" in job.summary
    assert github.comment == job.summary
    # What was pushed is judged the same by the other workflow, and rebuilt once more it changes nothing.
    assert gate_job(bare, tmp_path / "second", "not-rebuilt", github).failed == []
    after = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt")
    again = repro_job(bare, tmp_path / "third", "not-rebuilt", github)
    assert "nothing to save" in again.steps["make save"][1]
    assert toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt") == after


def test_what_fails_the_gate_is_committed_all_the_same(bare, tmp_path, github):
    job = repro_job(
        bare, tmp_path / "clone", "not-rebuilt", github, "sed -i s/0.004/0.001/ params.yaml; git commit -qam worse"
    )
    assert job.failed == ["make gate"]
    assert "got worse by 0.2000" in job.summary
    assert "learning_rate: 0.001" in toy_pipeline.run(bare, "git", "show", "not-rebuilt:dvc.lock")


def test_models_go_to_a_default_remote(bare, tmp_path, github):
    store = tmp_path / "store"
    change = f"dvc remote add --default team {store}; git commit -qam remote"
    job = repro_job(bare, tmp_path / "clone", "not-rebuilt", github, change)
    assert job.failed == [], job
    lock = yaml.safe_load(toy_pipeline.run(bare, "git", "show", "not-rebuilt:dvc.lock"))
    model = next(out["md5"] for out in lock["stages"]["train"]["outs"] if out["path"].endswith(".keras"))
    assert (store / "files/md5" / model[:2] / model[2:]).exists()


def test_a_failed_stage_commits_nothing(bare, tmp_path, github):
    before = toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt")
    change = "echo 'raise SystemExit(3)' > toy.py; git commit -qam broken"
    job = repro_job(bare, tmp_path / "clone", "not-rebuilt", github, change)
    assert job.failed == ["make repro", "make comment"]
    assert "gate.md: not there" in job.steps["make comment"][1]
    assert toy_pipeline.run(bare, "git", "rev-parse", "not-rebuilt") == before


def test_nothing_is_saved_without_a_branch(bare, tmp_path):
    folder = toy_pipeline.clone(bare, tmp_path / "clone", "better")
    toy_pipeline.run(folder, "git", "switch", "--quiet", "--detach")
    done = subprocess.run(["make", "save"], cwd=folder, env=toy_pipeline.environment(), text=True, capture_output=True)
    assert done.returncode
    assert "error: no branch is checked out to push to" in done.stderr
