"""New test sets, a Dask cluster, a team's clones and a cluster of Slurm, as pages show them."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from distributed import Client

from instrec.util.parallel import ordered_map
from tests import toy_pipeline
from tests.documentation.pages import CLUSTER, FOUR_LINES, ROOT, YARDSTICK, block_of


@pytest.fixture
def own_toy(toy: Path, tmp_path: Path) -> Path:
    return shutil.copytree(toy, tmp_path / "toy", symlinks=True)


def test_a_new_yardstick(own_toy: Path) -> None:
    before = yaml.safe_load((own_toy / "data.dvc").read_text())["outs"][0]
    sizes = "SOLOS, MIXTURES, EXCERPTS = "
    toy_pipeline.replace(own_toy, "scripts/make_test_scores.py", f"{sizes}30, 75, 200", f"{sizes}2, 2, 2")
    toy_pipeline.run(own_toy, "bash", "-euc", "\n".join(YARDSTICK))
    after = yaml.safe_load((own_toy / "data.dvc").read_text())["outs"][0]
    assert after["md5"] != before["md5"]
    assert after["remote"] == "embedded"
    stored = own_toy / ".dvcstore/files/md5" / after["md5"][:2] / after["md5"][2:]
    assert stored.exists()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_cluster(tmp_path: Path) -> None:
    """On another port, and without a page of its own, whose port others may have."""
    port = str(free_port())
    environment = toy_pipeline.environment(PYTHONPATH=str(ROOT), DASK_DISTRIBUTED__DASHBOARD__LINK="")
    lines = [line.replace("8786", port).split() for line in CLUSTER]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", *line, "--no-dashboard"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for line in lines
    ]
    try:
        with Client(f"tcp://127.0.0.1:{port}", timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        assert list(ordered_map(abs, range(-3, 3), cluster=f"tcp://127.0.0.1:{port}")) == [3, 2, 1, 0, 1, 2]
    finally:
        for process in running[::-1]:
            process.terminate()
            process.wait()


@pytest.fixture
def shared(own_toy: Path, tmp_path: Path) -> dict[str, str]:
    """A git remote with a branch `my-idea`, a DVC remote, and the environment in which clones get their `.venv`."""
    toy_pipeline.run(own_toy, "dvc", "remote", "add", "--default", "team", str(tmp_path / "remote"))
    toy_pipeline.commit(own_toy, "The team's remote")
    toy_pipeline.branch(own_toy, "my-idea", lambda folder: toy_pipeline.set_learning_rate(folder, 0.004))
    toy_pipeline.run(own_toy, "dvc", "push", "--run-cache")
    toy_pipeline.run(own_toy, "git", "clone", "--quiet", "--bare", ".", str(tmp_path / "instrec.git"))
    hook = tmp_path / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    tests = str(ROOT / "tests")
    hook.write_text(
        f"#!{sys.executable}\nimport sys; sys.path.insert(0, {tests!r})\n"
        "from pathlib import Path; import toy_pipeline; toy_pipeline.stand_in(Path.cwd())\n"
    )
    hook.chmod(0o755)
    return toy_pipeline.environment(GIT_TEMPLATE_DIR=str(hook.parents[1]), TMPDIR=str(tmp_path))


def elsewhere(script: str, tmp_path: Path, environment: dict[str, str]) -> str:
    script = script.replace("https://example.org/instrec.git", str(tmp_path / "instrec.git"))
    assert str(tmp_path / "instrec.git") in script
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_four_lines(shared: dict[str, str], tmp_path: Path) -> None:
    said = elsewhere("\n".join(FOUR_LINES), tmp_path, shared)
    assert said.count("Running stage") == 2
    pushed = toy_pipeline.run(tmp_path / "instrec.git", "git", "show", "my-idea:dvc.lock")
    assert "learning_rate: 0.004" in pushed
    md5 = next(out["md5"] for out in yaml.safe_load(pushed)["stages"]["train"]["outs"])
    assert (tmp_path / "remote/files/md5" / md5[:2] / md5[2:]).exists()


def test_slurm(shared: dict[str, str], tmp_path: Path) -> None:
    """One task of the array; `sbatch` itself only adds what the lines `#SBATCH` ask for."""
    script = block_of("docs/more_machines.md", "#!/bin/bash")
    elsewhere(script, tmp_path, shared | {"SLURM_ARRAY_TASK_ID": "2"})
    refs = toy_pipeline.run(tmp_path / "instrec.git", "git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (ref,) = [ref for ref in refs if ref.endswith("/rate-2")]
    assert "learning_rate: 0.01" in toy_pipeline.run(tmp_path / "instrec.git", "git", "show", f"{ref}:params.yaml")


@pytest.mark.parametrize(
    ("beginning", "keys"),
    [("apiVersion", {"apiVersion", "kind", "metadata", "spec"}), ("# sky", {"resources", "setup", "run"})],
)
def test_files_for_kubernetes_and_skypilot_are_yaml(beginning: str, keys: set[str]) -> None:
    assert yaml.safe_load(block_of("docs/more_machines.md", beginning)).keys() == keys
