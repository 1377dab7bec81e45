"""DVC does not follow imports, so dvc.yaml lists them; here it is held to what the code imports."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# Plumbing: a reworded error must not cost a rebuild, and values from params.yaml are tracked as params.
PLUMBING = {
    f"instrec/{name}.py" for name in ("__init__", "checking", "checkout", "errors", "files", "params", "processes")
}


def module_files(name: str) -> list[Path]:
    """The files of `instrec.x` or `instrec.x.y`, packages' own __init__ included."""
    path = ROOT.joinpath(*name.split("."))
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()]


def imports(file: Path) -> set[Path]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("instrec"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {path for name in names for path in module_files(name)}
    return found


def reached_from(file: Path) -> set[str]:
    reached, waiting = set(), [file]
    while waiting:
        for path in imports(waiting.pop()) - reached:
            if path.relative_to(ROOT).as_posix() not in PLUMBING:
                reached.add(path)
                waiting.append(path)
    return {path.relative_to(ROOT).as_posix() for path in reached}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_it_imports(stage: str) -> None:
    deps = [dep for dep in STAGES[stage]["deps"] if dep.startswith("instrec")]
    reached = reached_from(ROOT / "stages" / f"{stage}.py")
    missing = {path for path in reached if not any(path == dep or path.startswith(f"{dep}/") for dep in deps)}
    idle = {dep for dep in deps if not any(path == dep or path.startswith(f"{dep}/") for path in reached)}
    assert (missing, idle) == (set(), set())


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_params_it_reads(stage: str) -> None:
    """The sections a stage's own modules mention; `workers`, `cluster` and `tracking` never change a result."""
    knobs = yaml.safe_load((ROOT / "params.yaml").read_text()).keys() - {"workers", "cluster", "tracking"}
    listed = {param.split(".")[0] for param in STAGES[stage]["params"]}
    assert listed <= knobs
    text = (ROOT / "stages" / f"{stage}.py").read_text()
    used = set(re.findall(r"(?:settings|knobs)\.(\w+)", text)) & knobs
    assert used <= listed


def test_commands_are_modules_so_that_temporary_experiments_import_their_own_checkout() -> None:
    assert all(STAGES[stage]["cmd"] == f"python -m stages.{stage}" for stage in STAGES)
