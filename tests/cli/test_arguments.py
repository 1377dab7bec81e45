"""Mistakes in arguments, help, version; what `doctor` finds."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from instrec.cli import main
from tests.cli.told import only_error


class TestArguments:
    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["predikt", "x.wav"], "unknown command 'predikt'; did you mean predict?"),
            (["xyz"], "unknown command 'xyz'; see `instrec --help`"),
            ([], "the following arguments are required: COMMAND; see `instrec --help`"),
            (["predict"], "the following arguments are required: FILE; see `instrec predict --help`"),
            (["predict", "x.wav", "--jsn"], "unknown argument '--jsn'; did you mean --json?"),
            (["predict", "x.wav", "--zzz"], "unknown argument '--zzz'; see `instrec predict --help`"),
            (["predict", "x.wav", "--hop", "soon"], "argument --hop: invalid float value: 'soon'"),
            (["predict", "x.wav", "--threshold", "2"], "argument --threshold: 2 is outside 0..1"),
            (
                ["predict", "x.wav", "--threshold", "low"],
                "argument --threshold: expected a number within 0..1, found 'low'",
            ),
            (["predict", "x.wav", "--plot", "x.bmp"], "--plot x.bmp: unknown format; allowed: .png"),
            (["predict", "x.wav", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
            (["predict", "x.wav", "y.wav", "--format", "jams"], "name a folder for them: --output FOLDER"),
            (["predict", str(Path(__file__).parent)], "cli: a folder without audio files; known endings: "),
            (
                ["predict", "x.wav", "--model", "none.keras"],
                "none.keras: no model there; train one with `dvc repro`",
            ),
            (["evaluate", "nowhere"], "nowhere: not a folder"),
            (["evaluate", "nowhere.csv"], "nowhere.csv: cannot be read as CSV"),
            (["gate", "main"], "unknown command 'gate'; it is `instrec dev gate`"),
            (["dev", "gaet"], "unknown command 'gaet'; did you mean gate?"),
            (["dev"], "the following arguments are required: COMMAND; see `instrec dev --help`"),
            (["dev", "recipe", "--lst"], "unknown argument '--lst'; did you mean --list?"),
            (["predict", ""], "argument FILE: an empty name"),
            (["predict", "x.wav", "--output", "y.xyz"], "--output y.xyz: unknown ending; allowed: .txt"),
        ],
    )
    def test_a_mistake_is_one_line_and_exit_code_2(self, capsys, argv, message):
        assert main(argv) == 2
        assert message in only_error(capsys)

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
    assert done.stderr == "error: standard output cannot be written: No space left on device; free some space\n"


def test_doctor_tells_what_is_missing(capsys, tmp_path):
    assert main(["doctor", "--model", str(tmp_path / "none.keras")]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["ok", "Python"]
    assert any(line.startswith("missing") and "dvc repro" in line for line in lines)
