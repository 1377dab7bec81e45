"""A repository with all of this one but its pipeline: a toy of the same shape, rebuilt by real DVC in seconds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]

STAGES = """\
stages:
  train:
    cmd: python toy.py train
    deps: [toy.py, data]
    params: [seed, train]
    outs: [models/classifier.keras, models/history.csv]
  evaluate:
    cmd: python toy.py evaluate
    deps: [toy.py, models/classifier.keras]
    params: [evaluate]
    outs:
      - metrics/per_class.csv: {cache: false}
      - metrics/plots: {cache: false}
      - metrics/test.json: {cache: false}
metrics: [metrics/test.json]
"""

# All figures move with the learning rate: 0.0001 more makes each 0.01 better.
TOY = """\
import json
import sys
from pathlib import Path

import yaml

PARTS = {
    "solo": ("top1", "macro_f1"),
    "mixtures": ("micro_f1", "macro_f1", "count_accuracy", "exact_set", "lrap"),
    "excerpts": [f"{a}_{b}" for a in ("micro", "macro") for b in ("f1", "precision", "recall")],
}
SETS = ("seen_clean", "seen_noisy", "unseen_clean", "unseen_noisy", "unseen_excerpts")


def train():
    rate = yaml.safe_load(Path("params.yaml").read_text())["train"]["learning_rate"]
    Path("models").mkdir(exist_ok=True)
    Path("models/classifier.keras").write_text(f"{100 * rate - 0.3:.4f}")
    Path("models/history.csv").write_text("epoch,loss\\n1,0.5\\n")


def evaluate():
    gain = float(Path("models/classifier.keras").read_text())
    floors = {rule["metric"]: rule["floor"] for rule in yaml.safe_load(Path("gate.yaml").read_text())}
    tree = {}
    for test_set in SETS:
        for part in ("excerpts",) if test_set.endswith("excerpts") else ("solo", "mixtures"):
            figures = {
                name: round(floors.get(f"{test_set}.{part}.{name}", 0.6) + 0.05 + gain, 4) for name in PARTS[part]
            }
            intervals = {name: [value - 0.03, value + 0.02] for name, value in figures.items()}
            tree.setdefault(test_set, {})[part] = {"clips": 300, **figures, "loss": 1 - gain, "intervals": intervals}
    Path("metrics/plots").mkdir(parents=True, exist_ok=True)
    Path("metrics/plots/f1.csv").write_text(f"class,f1\\nviolin,{gain}\\n")
    Path("metrics/per_class.csv").write_text(f"class,f1\\nviolin,{gain}\\n")
    Path("metrics/test.json").write_text(json.dumps(tree, indent=2) + "\\n")


{"train": train, "evaluate": evaluate}[sys.argv[1]]()
"""

WRAPPERS = {"python": "", "dvc": "-m dvc", "instrec": "-m instrec"}


def environment(**more: str) -> dict[str, str]:
    """What commands need, without what the tests' own `make` or a workflow around them has set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "GITHUB_", "RUNNER_"))
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    identity = {f"GIT_{role}_{what}": "tester" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, "PATH": path, "DVC_NO_ANALYTICS": "1", **identity, **more}


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), text=True, capture_output=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def dvc(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, "-m", "dvc", *arguments)


def make(folder: Path) -> Path:
    """Build it on its branch `main`, all committed: what git tracks here, and the toy with frozen data of its own."""
    folder.mkdir()
    replaced = ("tests/", "metrics/", "released/", ".dvcstore/", "data.dvc", "dvc.lock")
    for name in run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file() and not name.startswith(replaced):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "toy.py").write_text(TOY)
    set_learning_rate(folder, 0.003)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    (folder / "data").mkdir()
    for name in ("noise.json", "score.mid"):
        (folder / "data" / name).write_text(name)
    (folder / "released").mkdir()
    (folder / "released" / "classifier.keras").write_text("model")
    shutil.copyfile(ROOT / "released" / "classifier.json", folder / "released" / "classifier.json")
    for path in ("data", "released/classifier.keras"):
        freeze(folder, path)
    rebuild(folder)
    commit(folder, "start")
    return folder


def freeze(folder: Path, path: str) -> None:
    """Give a file or folder to DVC, and push it to the remote inside the repository."""
    dvc(folder, "add", "--quiet", path)
    with (folder / f"{path}.dvc").open("a") as file:
        file.write("  remote: embedded\n")
    dvc(folder, "push", "--quiet", f"{path}.dvc")


def rebuild(folder: Path) -> None:
    dvc(folder, "repro")


def commit(folder: Path, message: str) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", message)


def branch(folder: Path, name: str, change: Callable[[Path], None]) -> None:
    """Commit a change of `main` on a branch of its own, and go back."""
    run(folder, "git", "switch", "--quiet", "--create", name, "main")
    change(folder)
    commit(folder, name)
    run(folder, "git", "switch", "--quiet", "main")
    dvc(folder, "checkout", "--quiet")


def set_learning_rate(folder: Path, value: float) -> None:
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    tree["train"]["learning_rate"] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def clone(origin: Path, folder: Path, name: str) -> Path:
    """Clone a branch as a workflow does."""
    run(origin, "git", "clone", "--quiet", "--branch", name, str(origin), str(folder))
    return stand_in(folder)


def stand_in(folder: Path) -> Path:
    """Make a clone's `.venv`; what `make` would install are commands of the tests' own interpreter."""
    commands = folder / ".venv/bin"
    commands.mkdir(parents=True)
    for command, module in WRAPPERS.items():
        (commands / command).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (commands / command).chmod(0o755)
    (commands / "activate").write_text('PATH="$PWD/.venv/bin:$PATH"\n')
    stamp(folder)
    return folder


def stamp(folder: Path) -> None:
    """Say that all is installed, after what it is installed from."""
    for name in (".made", ".built", ".dvc", ".installed", ".dev"):
        (folder / ".venv" / name).touch()
