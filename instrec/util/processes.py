"""How a command or a stage ends early: by a signal, or because the DVC that started it has ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from instrec.errors import UserError, interruption, run

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else ()))  # not on Windows
GRACE = 10.0  # seconds for cleaning up after the end of DVC; workers end what they have begun
PATIENCE = 15.0  # seconds for an earlier run of the same stage to end; more than its grace

unfinished: set[tuple[int, Path]] = set()
"""Temporary files and folders, each with the process that made it and removes it, whatever signal ends it."""

standard_error = 2
"""Its file descriptor; another one while native code is kept from writing to 2."""

_STAGE = "DVC_STAGE"  # in the environment of all that DVC starts, and not in DVC's own


def stage(main: Callable[[], None], name: str) -> NoReturn:
    """Run a stage's main function, and end the process with its exit code.

    It runs once at a time in a folder. It ends when the DVC that started it ends. If no DVC started it, as under nohup
    or a job scheduler, it runs on alone.
    """
    guard()
    if _STAGE in os.environ:
        with blocked(*SIGNALS):
            threading.Thread(target=_end_with_dvc, daemon=True).start()

    def alone() -> None:
        with _alone(Path("build") / f"{name}.lock"):
            main()

    sys.exit(run(alone))


def guard() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP end the process with one line from now on.

    Signals that the caller ignores, as nohup does, stay ignored. Only the main thread can call it.
    """
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt during work, so that it cleans up; otherwise exit at once.

    While a module loads, an exception may be lost or printed: by import locks, by native code.
    """
    within, loading = False, False
    while frame:
        within |= frame.f_code is run.__code__
        loading |= frame.f_code.co_filename.startswith("<frozen importlib")
        frame = frame.f_back
    if within and not loading:
        raise KeyboardInterrupt(number)
    _remove_unfinished()
    os.write(standard_error, f"{interruption(number)}\n".encode())
    os._exit(128 + number)


def _remove_unfinished() -> None:
    for owner, path in list(unfinished):
        if owner == os.getpid():  # and not what this process was forked from
            import shutil  # not before Ctrl-C is caught

            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def blocked(*numbers: signal.Signals) -> Iterator[None]:
    """Block signals in this thread for the block, and for good in threads and processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_dvc() -> None:
    if _wait_for_dvc():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)


def _wait_for_dvc() -> bool:
    """Wait until DVC has ended; return whether there was a DVC.

    DVC is the first parent whose environment does not name the stage; there may be a shell in between.
    """
    import psutil

    def is_of_stage(process: psutil.Process) -> bool:
        try:
            return _STAGE in process.environ()
        except psutil.AccessDenied:  # somebody else's
            return False

    try:
        above = next((each for each in psutil.Process().parents() if not is_of_stage(each)), None)
        if above is None:
            return False
        # In another session it is no DVC, but what took over this process after DVC had died.
        while (
            os.getsid(above.pid) == os.getsid(0)
            and above.is_running()
            and above.status() != psutil.STATUS_ZOMBIE  # dead, and not yet noticed by what started it
        ):
            time.sleep(0.2)
    except (psutil.NoSuchProcess, ProcessLookupError):
        pass
    return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock; the system releases it if the process is killed."""
    import filelock

    lock = filelock.FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=PATIENCE)
        path.write_text(str(os.getpid()))
    except filelock.Timeout as error:
        holder = path.read_text()
        raise UserError(
            "stage-running",
            path,
            f"this stage is running already in this folder, as process {holder}; "
            f"wait until it ends or end it (kill {holder}), then run again",
        ) from error
    except OSError as error:
        raise UserError(
            "file-unwritable", path, f"cannot be written: {error.strerror}; see to the folder's permissions"
        ) from error
    try:
        yield
    finally:
        lock.release()
