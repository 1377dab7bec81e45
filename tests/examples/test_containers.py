"""Dockerfiles, as far as they can be tested without Docker: what docs/containers.md builds is made of what is there."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests import documented

FILES = ("Dockerfile", "Dockerfile.gpu")
INSTRUCTIONS = {"FROM", "COPY", "RUN", "WORKDIR", "USER", "ENTRYPOINT", "CMD"}


def steps(path: Path) -> list[tuple[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


@pytest.mark.parametrize("name", FILES)
def test_every_step_is_sound(repository, name):
    found = steps(repository / name)
    assert {instruction for instruction, _ in found} <= INSTRUCTIONS
    for instruction, rest in found:
        if instruction == "FROM":
            assert re.match(r"[a-z]+:\d[\w.-]+( AS \w+)?$", rest), "an image without a version changes"
        if instruction == "RUN":
            subprocess.run(["bash", "-n", "-c", rest], check=True)
            assert "apt-get install" not in rest or "--no-install-recommends" in rest
            assert "pip" not in shlex.split(rest) or {"--no-cache-dir", "--no-cache"} & set(shlex.split(rest))
            for script in re.findall(r"bash (\S+)", rest):
                assert (repository / script).is_file()


@pytest.mark.parametrize("name", FILES)
def test_what_it_installs_exists(repository, name):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (repository / name).read_text(encoding="utf-8")
    extras = {extra for group in re.findall(r"\[([a-z,]+)\]", text) for extra in group.split(",")}
    assert extras and extras <= project["optional-dependencies"].keys()
    assert all((repository / constraint).is_file() for constraint in re.findall(r"--constraint (\S+)", text))


def test_the_image_for_files_is_not_roots(repository):
    found = steps(repository / "Dockerfile")
    assert ("USER", "listener") in found
    assert ("ENTRYPOINT", '["instrec"]') in found


def test_the_page_builds_these_files():
    build, run, build_gpu, run_gpu = map(shlex.split, documented.commands("containers.md"))
    assert build == ["docker", "build", "--tag", "instrec", "."]
    assert build_gpu[:4] == ["docker", "build", "--file", "Dockerfile.gpu"]
    assert "instrec" in run and "instrec-gpu" in run_gpu
