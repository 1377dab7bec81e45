"""A signal ends a command or a stage with one line, at whatever moment; a stage ends with the DVC that started it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.refusals import assert_one_line

SYNTHESIZE, PREDICT = ("stages.synthesize",), ("instrec", "predict", "recordings")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

STAGE = """
import subprocess, sys, time
from pathlib import Path
from instrec.util.files import written_whole
from instrec.util.parallel import ordered_map
from instrec.util.processes import stage

def main():
    with written_whole(Path("out/a.txt")) as part:
        part.touch()
        for _ in ordered_map(time.sleep, [0.01] * 40 + [0.1] * 10_000, workers=2):
            Path("working").touch()

if __name__ == "__main__":
    stage(main, "slow")
"""
# What DVC does to run a stage: a shell, and the stage's name in its environment. In `sh -c "a; b"` the shell stays.
STARTER = """
import os, subprocess, sys
environment = {**os.environ, **dict(pair.split("=") for pair in sys.argv[2:])}
subprocess.run(["sh", "-c", sys.argv[1]], env=environment)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slow.py").write_text(STAGE)
    return tmp_path


def start(*command: str, folder: Path, **options: object) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *command], cwd=folder, start_new_session=True, **pipes, **options)


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def in_group(group: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `stages.synthesize` and `instrec predict` need to begin their work."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(repository / "params.yaml", folder)
    (folder / "build").mkdir()
    return folder


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell's background jobs, and so the tests among them, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def guarded(process: subprocess.Popen[str]) -> bool:
    """Whether our own code has begun: then SIGHUP is caught, the first signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << (signal.SIGHUP - 1))


def lacking(errors: str) -> str:
    """The line that says what a stage lacks; the signal can come between it and the end of Python."""
    return re.match(r"(error: .*\n)?", errors)[0]


@pytest.mark.parametrize("command", [SYNTHESIZE, PREDICT], ids=["stage", "command"])
def test_ctrl_c_while_modules_load_is_no_traceback(project: Path, repository: Path, command: tuple[str, ...]) -> None:
    for number, after in enumerate((0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)):
        # In the repository itself: what is loaded differs with what is found there.
        process = start("-m", *command, folder=project, env={**os.environ, "PYTHONPATH": str(repository)})
        wait_for(lambda process=process: guarded(process))
        time.sleep(after)
        if process.poll() is not None:
            break  # it had nothing to do
        sent = SIGNALS[number % 3]
        process.send_signal(sent)
        errors = process.communicate(timeout=30)[1]
        # 2: what it lacks was reported before the signal came. By the signal itself: Python had ended, but for its
        # memory.
        assert process.returncode in (128 + sent, -sent, 2), errors
        assert "Traceback" not in errors
        assert errors.removeprefix(lacking(errors)).count("\n") <= 1, errors


LOADING = """
from pathlib import Path
from instrec.cli.commands import quiet_native_code
from instrec.errors import run
from instrec.util.files import temporary_folder, written_whole
from instrec.util.processes import guard

def main():
    with quiet_native_code(), temporary_folder(), written_whole(Path("out/a.txt")) as part:
        part.touch()
        import loading

guard()
run(main)
"""


def test_a_signal_while_a_module_loads_is_one_line_and_leaves_nothing(folder: Path) -> None:
    (folder / "loading.py").write_text("import pathlib, time; pathlib.Path('working').touch(); time.sleep(60)")
    (folder / "main.py").write_text(LOADING)
    (folder / "temporary").mkdir()
    process = start("main.py", folder=folder, env={**os.environ, "TMPDIR": str(folder / "temporary")})
    wait_for((folder / "working").exists)
    assert len([*(folder / "out").iterdir(), *(folder / "temporary").iterdir()]) == 2
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=20)[1]
    assert (process.returncode, errors.count("\n")) == (130, 1), errors
    assert [*(folder / "out").iterdir(), *(folder / "temporary").iterdir()] == []


@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
@pytest.mark.parametrize("to", ["group", "alone"])
def test_a_signal_ends_a_stage_and_leaves_nothing(folder: Path, sent: signal.Signals, to: str) -> None:
    process = start("slow.py", folder=folder)
    wait_for((folder / "working").exists)
    (os.killpg if to == "group" else os.kill)(process.pid, sent)
    errors = process.communicate(timeout=20)[1]  # the workers hold the pipe as well
    assert (process.returncode, errors.count("\n")) == (128 + sent, 1), errors
    assert list((folder / "out").iterdir()) == []


def test_what_nohup_ignores_stays_ignored(folder: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start("slow.py", folder=folder)
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for((folder / "working").exists)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("command", ["exec python slow.py", "python slow.py; true"], ids=["exec", "shell"])
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM], ids=lambda sent: sent.name)
def test_a_stage_ends_with_its_dvc(folder: Path, command: str, sent: signal.Signals) -> None:
    process = start("-c", STARTER, command.replace("python", sys.executable), "DVC_STAGE=slow", folder=folder)
    wait_for((folder / "working").exists)
    process.send_signal(sent)
    process.communicate(timeout=20)
    wait_for(lambda: not in_group(process.pid), 20)
    assert list((folder / "out").iterdir()) == []


def test_a_stage_that_dvc_did_not_start_outlives_what_started_it(folder: Path) -> None:
    process = start("-c", STARTER, f"exec {sys.executable} slow.py", folder=folder)
    wait_for((folder / "working").exists)
    process.kill()
    process.wait()
    (folder / "working").unlink()
    wait_for((folder / "working").exists)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=20)


def test_a_stage_runs_once_at_a_time(folder: Path) -> None:
    first = start("slow.py", folder=folder)
    wait_for((folder / "working").exists)
    second = start("slow.py", folder=folder)
    errors = second.communicate(timeout=40)[1]
    assert second.returncode == 2, errors
    assert_one_line(errors, "slow.lock", f"kill {first.pid}")
    assert len(list((folder / "out").iterdir())) == 1  # the first goes on
    first.kill()
    first.communicate(timeout=20)
    third = start("slow.py", folder=folder)  # a killed one's lock holds nobody up, and what it left goes
    wait_for(lambda: [path.name.split(".")[3].split("-")[0] for path in (folder / "out").iterdir()] == [str(third.pid)])
    third.terminate()
    third.communicate(timeout=20)


def test_a_place_where_nothing_can_be_locked_is_told(folder: Path) -> None:
    (folder / "build").write_text("a file")
    process = start("slow.py", folder=folder)
    errors = process.communicate(timeout=20)[1]
    assert process.returncode == 2, errors
    assert_one_line(errors, "slow.lock")
