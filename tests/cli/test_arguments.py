"""Mistakes in arguments, help, version; what `doctor` finds."""

import errno
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from instrec.cli import _dispatch, main
from tests.cli.told import assert_only_error
from tests.refusals import assert_one_line, refused


class TestArguments:
    @pytest.mark.parametrize(
        ("argv", "named"),
        [
            (["predikt", "x.wav"], ("'predikt'", "predict?")),
            (["xyz"], ("'xyz'", "`instrec --help`")),
            ([], ("COMMAND", "`instrec --help`")),
            (["predict"], ("FILE", "`instrec predict --help`")),
            (["predict", "x.wav", "--jsn"], ("'--jsn'", "--json?")),
            (["predict", "x.wav", "--zzz"], ("'--zzz'", "`instrec predict --help`")),
            (["predict", "x.wav", "--hop", "soon"], ("--hop", "'soon'")),
            (["predict", "x.wav", "--threshold", "2"], ("--threshold", "2 ", "0..1")),
            (
                ["predict", "x.wav", "--threshold", "low"],
                ("--threshold", "'low'", "0..1"),
            ),
            (["predict", "x.wav", "--plot", "x.bmp"], ("--plot x.bmp", ".png")),
            (["predict", "x.wav", "--format", "xml"], ("--format", "'xml'")),
            (["predict", "x.wav", "y.wav", "--format", "jams"], ("--output FOLDER",)),
            (["predict", str(Path(__file__).parent)], (Path(__file__).parent, ".wav")),
            (
                ["predict", "x.wav", "--model", "none.keras"],
                ("none.keras", "`dvc repro`"),
            ),
            (["evaluate", "nowhere"], ("nowhere",)),
            (["evaluate", "nowhere.csv"], ("nowhere.csv", "check the name")),
            (["evaluate", "labels.json"], ("labels.json", "*.csv")),
            (["evaluate", "x" * 300], ("x" * 300, "permissions")),
            (["predict", "x.wav", "--model", "x" * 300], ("x" * 300, "permissions")),
            (["dev", "systems", "--seeds", "0"], ("--seeds", "'0'", "1 or more")),
            (["gate", "main"], ("'gate'", "`instrec dev gate`")),
            (["dev", "gaet"], ("'gaet'", "gate?")),
            (["dev"], ("COMMAND", "`instrec dev --help`")),
            (["dev", "recipe", "--lst"], ("'--lst'", "--list?")),
            (["predict", ""], ("FILE",)),
            (["predict", "x.wav", "--output", "y.xyz"], ("--output y.xyz", ".txt")),
        ],
    )
    def test_a_mistake_is_one_line_and_exit_code_2(self, capsys, argv, named):
        assert main(argv) == 2
        assert_only_error(capsys, *named)

    @pytest.mark.parametrize(
        ("argv", "code"),
        [
            (["predikt", "x.wav"], "command-unknown"),
            (["predict", "x.wav", "--zzz"], "argument-unknown"),
            (["predict"], "arguments-invalid"),
            (["predict", "x.wav", "--json", "--format", "csv"], "arguments-invalid"),
            (["dev", "recipe"], "argument-missing"),
        ],
    )
    def test_a_mistake_has_a_code(self, argv, code):
        with refused(code):
            _dispatch(argv)

    def test_version(self, capsys):
        with pytest.raises(SystemExit) as exit_:
            main(["--version"])
        assert exit_.value.code == 0
        assert capsys.readouterr().out.startswith("instrec 0.")

    def test_help_does_not_wait_for_keras(self):
        code = (
            "import sys\nfrom instrec.cli import main\n"
            "try: main(['predict', '--help'])\nexcept SystemExit: pass\n"
            "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'numpy', 'matplotlib')))"
        )
        started = time.perf_counter()
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert "--threshold" in result.stdout
        assert time.perf_counter() - started < 3  # about 0.1 s; a busy machine is given room


def test_a_full_disk_under_the_output_is_told():
    command = [sys.executable, "-m", "instrec", "dev", "recipe", "--list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert_one_line(done.stderr, "standard output", os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [(">&-", "x.wav", 2), ("2>&-", "x.wav", 2), ("<&-", "-", 2), ("<&- >&- 2>&-", "--version", 0)],
)
def test_streams_that_the_caller_has_closed(tmp_path, closed, arguments, code):
    command = f"{shlex.quote(sys.executable)} -m instrec predict {arguments} {closed}".replace("predict --", "--")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "")
    if "2>&-" not in closed:
        assert_one_line(done.stderr, arguments)


def test_doctor_tells_what_is_missing(capsys, tmp_path):
    assert main(["doctor", "--model", str(tmp_path / "none.keras")]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["ok", "Python"]
    assert any(line.startswith("missing") and "dvc repro" in line for line in lines)
