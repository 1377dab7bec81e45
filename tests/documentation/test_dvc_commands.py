"""The experiments that pages show are what DVC and params.yaml take."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps, to_hydra_overrides

from instrec import params
from instrec.params_schema import build
from instrec.util.nested import merged
from tests import toy_pipeline
from tests.documentation.pages import OPTIONS, ROOT

RECORDER = """
dvc() { printf '%s\\0' "$@"; printf '\\n'; }
git() { :; }
instrec() { "$PYTHON" -m instrec "$@"; }
"""


@pytest.mark.parametrize("command", OPTIONS)
def test_what_it_gives_to_dvc_is_what_dvc_and_params_take(command: str, tmp_path: Path) -> None:
    """The shell does what is its own: `$(...)`, loops, quotes; in DVC's place stands what writes down its arguments,
    and commits of the past are not checked out."""
    environment = toy_pipeline.environment(PYTHON=sys.executable)
    script = ["bash", "-euc", RECORDER + command]
    printed = subprocess.run(script, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, check=True).stdout
    for line in printed.splitlines():
        args = get_main_parser().parse_args(line.split("\0")[:-1])
        assert args.func
        first, *others = get_hydra_sweeps({"": getattr(args, "set_param", None) or []})
        file = shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
        apply_overrides(file, first[""])
        params.load(file)
        tree = yaml.safe_load(file.read_text())
        for point in others:  # of a grid; as they differ in a few values, DVC need not read the file for each
            build(params.Params, functools.reduce(merged, map(changed, set(point[""]) - set(first[""])), tree), "")


@functools.cache
def changed(override: str) -> dict[str, Any]:
    """What an override of DVC's changes, as a tree of sections."""
    (parsed,) = to_hydra_overrides([override])
    return functools.reduce(lambda value, key: {key: value}, reversed(parsed.key_or_group.split(".")), parsed.value())


def test_the_grid_of_sethi_is_whole() -> None:
    (command,) = [command for command in OPTIONS if "-n grid" in command]
    swept = [word for word in command.split() if "," in word and "[" not in word]
    assert len(get_hydra_sweeps({"": swept})) == 3 * 4 * 5 * 3
