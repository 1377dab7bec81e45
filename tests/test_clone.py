"""What a fresh clone of this repository has, whatever git's settings, and what DVC does there without a remote."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import dvc.api
import pytest

from tests import toy_pipeline

ROOT = toy_pipeline.ROOT
MODEL = "released/classifier.keras"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed here, as someone does whose git writes CRLF.

    As one commit without parents: DVC's own git reads a long history slowly, and that of a shallow clone not at all.
    """
    source, folder = (tmp_path_factory.mktemp("clone") / name for name in ("source.git", "instrec"))
    toy_pipeline.run(ROOT, "git", "clone", "--quiet", "--bare", "--depth", "1", f"file://{ROOT}", str(source))
    alone = toy_pipeline.run(source, "git", "commit-tree", "HEAD^{tree}", "-m", "All").strip()
    # What a runner checks out has no branch, and a clone of it has none that DVC could get from by an address.
    toy_pipeline.run(source, "git", "update-ref", "refs/heads/main", alone)
    options = ("--quiet", "--branch", "main", "--single-branch", "-c", "core.autocrlf=true")
    toy_pipeline.run(source, "git", "clone", *options, f"file://{source}", str(folder))
    return folder


def test_every_file_has_the_bytes_that_git_keeps(clone: Path) -> None:
    """What git would turn into others, DVC takes for changed."""
    tree = toy_pipeline.run(clone, "git", "ls-tree", "-r", "HEAD").splitlines()
    kept = {line.partition("\t")[2]: line.split()[2] for line in tree}
    names = "\n".join(kept) + "\n"
    command = ["git", "hash-object", "--no-filters", "--stdin-paths"]
    found = subprocess.run(command, cwd=clone, input=names, capture_output=True, text=True, check=True).stdout.split()
    assert dict(zip(kept, found, strict=True)) == kept
    assert toy_pipeline.run(clone, "git", "status", "--porcelain") == ""


def test_no_file_is_kept_otherwise_than_its_attributes_say(clone: Path) -> None:
    """Or it would count as changed in every clone."""
    for line in toy_pipeline.run(clone, "git", "ls-files", "--eol").splitlines():
        index, _, attributes = line.partition("\t")[0].split(maxsplit=2)
        assert index in ("i/lf", "i/none") or attributes.strip() == "attr/-text", line


def fails(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=folder, env=toy_pipeline.environment(), text=True, capture_output=True)
    assert done.returncode
    return done.stderr


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture(scope="module")
def released(clone: Path) -> str:
    """MD5 of the released model, by what is known of it."""
    return str(json.loads((clone / MODEL).with_suffix(".json").read_text())["model"]["md5"])


def test_pull_brings_what_the_repository_has(clone: Path) -> None:
    said = fails(clone, "pull")
    assert "failed to pull data from the cloud" in said
    assert "models/history.csv" in said
    scores = sorted((clone / "data").rglob("*"))
    assert scores
    shutil.rmtree(clone / "data")
    toy_pipeline.dvc(clone, "pull", "--allow-missing")
    assert sorted((clone / "data").rglob("*")) == scores


def test_plots_of_git_are_shown(clone: Path) -> None:
    shown = toy_pipeline.dvc(clone, "plots", "diff", "HEAD", "--json")
    assert "Confusion, unseen SoundFont" in shown
    assert "Learning curves, loss" in shown
    assert '"val_loss": "' in shown
    assert '"actual": "' in shown


@pytest.mark.parametrize("address", ["{}", "file://{}"], ids=["path", "address"])
def test_get_import_and_api_bring_the_released_model(address: str, clone: Path, released: str, tmp_path: Path) -> None:
    url = address.format(clone)
    toy_pipeline.dvc(tmp_path, "get", url, MODEL, "--out", "a.keras")
    toy_pipeline.run(tmp_path, "git", "init", "--quiet")
    toy_pipeline.dvc(tmp_path, "init", "--quiet")
    toy_pipeline.dvc(tmp_path, "import", url, MODEL, "--out", "b.keras")
    assert {md5(tmp_path / f"{name}.keras") for name in "ab"} == {released}
    assert hashlib.md5(dvc.api.read(MODEL, repo=url, mode="rb"), usedforsecurity=False).hexdigest() == released


def test_get_of_the_test_scores_takes_a_path_as_the_page_says(clone: Path, tmp_path: Path) -> None:
    """Once an address does, docs/team.md has a paragraph less."""
    toy_pipeline.dvc(tmp_path, "get", str(clone), "data", "--out", "data")
    assert any((tmp_path / "data").iterdir())
    assert fails(tmp_path, "get", f"file://{clone}", "data", "--out", "other")
