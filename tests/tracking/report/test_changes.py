"""What changed against a commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from instrec.tracking.gate import commits
from instrec.tracking.report import changes
from tests.refusals import refused
from tests.report_project import git

SCORES = {"solo": {"clips": 100, "top1": 0.5, "macro_f1": 0.4, "intervals": {"top1": [0.45, 0.55]}}}


@pytest.fixture
def repository(tmp_path) -> Path:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/test.json").write_text(json.dumps({"a": SCORES}))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"seed": 1, "train": {"epochs": 3}}))
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        git(tmp_path, *command)
    return tmp_path


def measured(repository: Path, **figures: float) -> dict[str, list[str]]:
    """Names by mark where figures have changed."""
    tree = {"a": {"solo": SCORES["solo"] | figures}}
    tree["a"]["solo"]["intervals"] = {name: [value - 0.05, value + 0.05] for name, value in figures.items()}
    (repository / "metrics/test.json").write_text(json.dumps(tree))
    found = changes.since(repository, "HEAD").metrics
    return {mark: [name for name, _ in own] for mark, own in found.items() if own}


def test_nothing_has_changed(repository):
    found = changes.since(repository, "HEAD")
    assert (list(found.params), list(found.notes)) == ([], [])
    assert [name for name, _ in found.metrics["same"]] == ["a.solo.top1", "a.solo.macro_f1"]
    assert changes.state(repository) == found.base.partition("(")[2].rstrip(")")


def test_marks(repository):
    assert measured(repository, top1=0.3) == {"worse": ["a.solo.top1"], "same": ["a.solo.macro_f1"]}
    assert measured(repository, top1=0.52) == {"within noise": ["a.solo.top1"], "same": ["a.solo.macro_f1"]}
    assert measured(repository, top1=0.7, macro_f1=0.9) == {"better": ["a.solo.macro_f1", "a.solo.top1"]}
    assert measured(repository, lrap=0.7)["new"] == ["a.solo.lrap"]


def test_params(repository):
    (repository / "params.yaml").write_text(yaml.safe_dump({"train": {"epochs": 4}, "classes": ["flute"]}))
    found = changes.since(repository, "HEAD").params
    assert sorted(found) == [("classes", None, ["flute"]), ("seed", 1, None), ("train.epochs", 3, 4)]
    assert changes.state(repository).endswith("with changes not committed")


def test_another_number_of_clips_is_noted(repository):
    measured(repository, clips=50)
    assert any("another test set" in note for note in changes.since(repository, "HEAD").notes)


def test_an_unknown_commit_is_an_error(repository):
    with refused("commit-unknown", "nowhere", "`git branch --all`"):
        changes.since(repository, "nowhere")


def test_without_a_repository_or_git_it_says_so(tmp_path, monkeypatch):
    with refused("not-a-repository", tmp_path):
        commits.resolve(tmp_path, "HEAD")
    monkeypatch.setenv("PATH", "")
    with refused("package-missing", "", "sudo apt-get install git"):
        commits.resolve(tmp_path, "HEAD")
