"""The experiments that pages show are what DVC and params.yaml take."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides

from instrec import params
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
        overrides = getattr(args, "set_param", None) or []
        file = shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
        apply_overrides(file, overrides)
        params.load(file)
