"""DVC does not follow imports, so dvc.yaml lists them; here it is held to what the code imports."""

import ast
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml

from instrec.params import ModelParams
from tests.miniature import dvc, make_repository, ran

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ARCHITECTURES: tuple[str, ...] = get_args(get_type_hints(ModelParams)["name"])
MODELS = next(dep.split("/$")[0] for dep in STAGES["train"]["deps"] if "${model.name}" in dep)
# Plumbing: a reworded error must not cost a rebuild, and values from params.yaml are tracked as params.
PLUMBING = {
    f"instrec/{name}.py"
    for name in (
        *("__init__", "errors", "params", "params_schema", "models/backend"),
        *(f"util/{name}" for name in ("documents", "files", "packages", "processes", "progress", "provenance")),
        "util/repositories",
    )
}


def module_files(name: str) -> list[Path]:
    """The file of `instrec.x.y`, and the __init__ of every package on the way that holds code."""
    parts = name.split(".")
    packages = [ROOT.joinpath(*parts[:count], "__init__.py") for count in range(1, len(parts) + 1)]
    holding = [path for path in packages if path.exists() and holds_code(path)]
    return [*holding, *(path for path in [ROOT.joinpath(*parts).with_suffix(".py")] if path.exists())]


@cache
def holds_code(path: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text()).body)


@cache  # each file is reached in many ways
def imports(file: Path) -> set[Path]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("instrec"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {path for name in names for path in module_files(name)}
    return found


def reached_from(file: Path, architecture: str) -> set[str]:
    """Every file of the package that a stage loads where `model.name` is an architecture."""
    package, chosen = ROOT / MODELS / "__init__.py", ROOT / MODELS / f"{architecture}.py"
    reached: set[Path] = set()
    waiting = [file]
    while waiting:
        file = waiting.pop()
        for path in (imports(file) | ({chosen} if file == package else set())) - reached:
            if path.relative_to(ROOT).as_posix() not in PLUMBING:
                reached.add(path)
                waiting.append(path)
    return {path.relative_to(ROOT).as_posix() for path in reached}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_it_imports(stage: str) -> None:
    """Whichever architecture `model.name` chooses; and on nothing that none of them imports."""
    listed, used = set(), set()
    for architecture in ARCHITECTURES:
        own = [dep.replace("${model.name}", architecture) for dep in STAGES[stage]["deps"]]
        deps = {dep for dep in own if dep.startswith("instrec")}
        reached = reached_from(ROOT / "stages" / f"{stage}.py", architecture)
        missing = {path for path in reached if not any(path == dep or path.startswith(f"{dep}/") for dep in deps)}
        assert (architecture, missing) == (architecture, set())
        listed |= deps
        used |= {dep for dep in deps if any(path == dep or path.startswith(f"{dep}/") for path in reached)}
    assert listed - used == set()


def test_a_stage_depends_on_params_that_there_are() -> None:
    """That these are all it reads is tested where recipes run: tests/tracking/reproductions/test_few_steps.py."""
    sections = yaml.safe_load((ROOT / "params.yaml").read_text()).keys()
    for stage in STAGES.values():
        assert {param.split(".")[0] for param in stage["params"]} <= sections


def test_commands_are_modules_so_that_temporary_experiments_import_their_own_checkout() -> None:
    assert all(STAGES[stage]["cmd"] == f"python -m stages.{stage}" for stage in STAGES)


@pytest.fixture(scope="module")
def trained(module_folder: Path) -> Path:
    """A repository in which DVC takes train for done, on stand-ins for what it reads and writes."""
    repository = make_repository(module_folder / "repository")
    train = STAGES["train"]
    for name in (*train["deps"], *train["outs"]):
        path = repository / name
        if "$" not in name and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    dvc(repository, "commit", "--force", "train")
    return repository


@pytest.mark.parametrize(
    ("file", "expected"), [("new", []), ("han", []), (ARCHITECTURES[0], ["train"]), ("../heads", ["train"])]
)
def test_only_the_chosen_architecture_makes_a_model_stale(trained: Path, file: str, expected: list[str]) -> None:
    path = trained / MODELS / f"{file}.py"
    before = path.read_text() if path.exists() else None
    try:
        path.write_text((before or "VARIANTS = {}\n") + "# changed\n")
        assert ran(dvc(trained, "repro", "--dry", "--single-item", "train")) == expected
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


@pytest.mark.parametrize("name", ["new", "irmas"])
def test_a_loader_of_a_dataset_makes_no_model_stale(trained: Path, name: str) -> None:
    path = trained / "instrec/corpus/published" / f"{name}.py"
    before = path.read_text() if path.exists() else ""
    try:
        path.write_text(f"{before}# changed\n")
        assert ran(dvc(trained, "repro", "--dry", "--single-item", "train")) == []
        listed = [dep for stage in ("balance", "synthesize", "spectrograms") for dep in STAGES[stage]["deps"]]
        assert not any(dep.startswith("instrec/corpus/published") for dep in listed)
    finally:
        if before:
            path.write_text(before)
        else:
            path.unlink()
