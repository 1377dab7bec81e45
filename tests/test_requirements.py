"""What is installed is what was locked: by version and checksum, the same in every file, and nothing beside it."""

import re
import subprocess
import tomllib

import pytest

from tests import toy_pipeline

ROOT = toy_pipeline.ROOT
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", requirement).lower()


def pins(file: str) -> dict[str, str]:
    """Return the version of each package of a lock or a list, whatever must hold of the machine for it."""
    text = (ROOT / file).read_text()
    return {name_of(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)}


def wanted(extra: str) -> set[str]:
    """Return the packages that pyproject.toml names: the package's own, or those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {name_of(re.match(r"[\w.-]+", each)[0]) for each in named}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_a_version_and_checksums_and_no_server_is_named(lock):
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).replace(" \\\n", "")
    for line in text.splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [^#]+?)?(    --hash=sha256:[0-9a-f]{64})+", line), line[:80]
    assert "://" not in text


def test_a_package_has_one_version_in_all_files():
    versions: dict[str, set[str]] = {}
    for file in LOCKS:
        for name, version in pins(file).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_what_is_asked_for_is_locked():
    for group, lock in (("", ""), ("plot", ""), ("serve", ""), ("export", ""), ("pipeline", ""), ("dev", "-dev")):
        assert wanted(group) <= {*pins(f"requirements{lock}.txt"), "instrec"}, group
    assert pins("requirements-gate.txt").items() <= pins("requirements.txt").items()
    assert "dvc" in pins("requirements-gate.txt")
    builds = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {f"{name}=={version}" for name, version in pins("requirements-build.txt").items()} == set(builds)


@pytest.mark.parametrize("target", ["gate", "test"])
def test_nothing_is_installed_but_by_checksum(target, tmp_path):
    """What `make` would run in a fresh clone; `test` installs all that there is."""
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "scripts").mkdir()
    command = ("make", "--dry-run", target)
    done = subprocess.run(command, cwd=tmp_path, env=toy_pipeline.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    installs = re.findall(r"^pip install .*$", done.stdout, re.MULTILINE)
    assert installs
    for line in installs:
        assert "--no-build-isolation" in line  # or what builds a package would come unchecked
        assert "--require-hashes -r requirements" in line or line.endswith("--no-deps --editable .")
    locks = [line.split()[-1] for line in installs if "-r" in line.split()]
    assert locks[0] == "requirements-build.txt"


@pytest.mark.parametrize(
    ("last_line", "words"),
    [("Found 2 known vulnerabilities in 1 package", "Found 2"), ("ConnectionError: nobody there", "needs a network")],
)
def test_an_audit_that_finds_or_fails_says_so(last_line, words, tmp_path):
    """In place of pip-audit, which needs a network, stands what ends as it does."""
    folder = toy_pipeline.stand_in(tmp_path)
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("pyproject.toml", *LOCKS):
        (folder / name).touch()
    toy_pipeline.stamp(folder)
    tool = folder / ".venv/bin/pip-audit"
    tool.write_text(f"#!/bin/sh\necho Traceback >&2\necho '{last_line}' >&2\nexit 1\n")
    tool.chmod(0o755)
    done = subprocess.run(["make", "audit"], cwd=folder, env=toy_pipeline.environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
