"""Two clones, a git remote and a DVC remote: what one has computed, the other does not; by the commands of the page."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import documented
from tests.miniature import environment, outputs, ran, set_params

pytestmark = pytest.mark.long

HEAVY = ["build/audio", "build/spectrograms"]


def shell(folder: Path, *commands: str) -> str:
    names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    identity = {f"GIT_{name}": "tester@example.org" for name in names}
    done = subprocess.run(
        ["bash", "-euc", "\n".join(commands)],
        cwd=folder,
        env=environment() | identity,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def steps(remote: Path) -> dict[str, list[str]]:
    """Return the commands of docs/team.md by what they are for."""
    commands = [
        line.replace("/srv/instrec", str(remote)).replace("NAME", "slow") for line in documented.commands("team.md")
    ]
    purposes = {"set up": 3, "share": 3, "take": 2, "go on": 1, "push experiment": 1, "pull experiment": 5}
    assert sum(purposes.values()) == len(commands)
    return {purpose: [commands.pop(0) for _ in range(count)] for purpose, count in purposes.items()}


def held(remote: Path, md5: str) -> bool:
    return (remote / "files/md5" / md5[:2] / md5[2:]).exists()


@pytest.fixture(scope="module")
def team(miniature: Path, module_folder: Path) -> Path:
    """A folder with `hub.git`, `remote`, and `first`, a clone that has set all up and shared what it has built."""
    folder = module_folder
    first = shutil.copytree(miniature, folder / "first")
    set_params(first, {"tracking.mlflow": False})
    shell(folder, "git init -q --bare hub.git")
    shell(first, "git remote add origin ../hub.git", "git push -qu origin HEAD")
    commands = steps(folder / "remote")
    shell(first, *commands["set up"], "git add dvc.lock params.yaml", *commands["share"])
    return folder


def clone(team: Path, name: str) -> Path:
    shell(team, f"git clone -q hub.git {name}")
    return team / name


def test_what_is_heavy_stays_behind_and_the_embedded_remote_as_it_is(team: Path) -> None:
    made = outputs(team / "first")
    cached = {path: md5 for path, md5 in made.items() if not path.startswith("metrics")}
    assert {path for path, md5 in cached.items() if not held(team / "remote", md5)} == set(HEAVY)
    assert any((team / "remote/runs").iterdir())
    assert sum(path.stat().st_size for path in (team / "remote").rglob("*") if path.is_file()) < 3e6
    assert shell(team / "first", "git status --porcelain") == ""
    data = yaml.safe_load((team / "first/data.dvc").read_text())["outs"][0]
    assert data["remote"] == "embedded"
    assert not held(team / "remote", data["md5"])


def test_a_second_clone_reproduces_without_computing_anything(team: Path) -> None:
    second = clone(team, "second")
    said = shell(second, *steps(team / "remote")["take"])
    assert ran(said) == []
    assert said.endswith("Data and pipelines are up to date.\n")
    assert [path for path in HEAVY if (second / path).exists()] == []
    for path in ("models/classifier.keras", "models/history.csv", "build/manifest.csv", "metrics/test.json"):
        assert (second / path).read_bytes() == (team / "first" / path).read_bytes()
    assert shell(second, "git status --porcelain") == ""
    assert "Running stage" not in shell(second, *steps(team / "remote")["take"])


def test_an_experiment_travels_and_its_training_is_not_repeated(team: Path) -> None:
    commands = steps(team / "remote")
    first = team / "first"
    assert ran(shell(first, "dvc exp run -n slow -S train.learning_rate=0.001")) == ["train", "evaluate"]
    shell(first, *commands["push experiment"])

    third = clone(team, "third")
    assert ran(shell(third, *commands["pull experiment"])) == []
    assert outputs(third) == outputs(first)
    for path in ("params.yaml", "models/classifier.keras", "metrics/test.json"):
        assert (third / path).read_bytes() == (first / path).read_bytes()
    assert shell(third, "git status --porcelain") == ""

    # The same change made by hand: rendered again, but not trained.
    fourth = clone(team, "fourth")
    shell(fourth, *commands["take"])
    shutil.copy(first / "params.yaml", fourth)
    assert ran(shell(fourth, *commands["go on"])) == ["synthesize", "spectrograms", "evaluate"]
    assert (fourth / "dvc.lock").read_text() == (first / "dvc.lock").read_text()
