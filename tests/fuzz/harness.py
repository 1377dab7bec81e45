"""Runs cases in processes of their own, which are killed where they take too long or too much memory."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import psutil

from instrec import errors
from instrec.errors import UserError

LIMIT_SECONDS = 20.0  # of the processor for one case; most take some milliseconds
WAITING = 6  # times that long by the clock: for one that waits, and where the machine is busy
PREPARATION_SECONDS = 100.0  # for imports, and for reading what is not damaged
LIMIT_MEMORY = 1 << 30  # beyond what the process held before the case
SEED = 17

_TAIL = 3000  # characters of a traceback


@dataclass(frozen=True)
class Format:
    """A format that the product reads.

    Attributes
    ----------
    share : of a thousand cases.
    seeds : make whole files: name, which may lie in folders -> content.
    mutate : damages a content.
    read : reads a file with the product's reader in the current folder, and asserts that what it gives can be right;
        beside the file it gets what the file was before, and a source of chance.
    covers : modules of the product that read files of this format.
    makes : folder in which the reader may leave files.
    """

    share: int
    seeds: Callable[[], Mapping[str, bytes]]
    mutate: Callable[[Random, bytes], bytes]
    read: Callable[[Path, bytes, Random], None]
    covers: tuple[str, ...]
    makes: str = ""


@dataclass(frozen=True)
class Case:
    """One mutation of one of a format's seeds; the same number is the same mutation.

    Attributes
    ----------
    number : None stands for reading all seeds as they are, which must go well.
    """

    form: str
    number: int | None


@dataclass(frozen=True)
class Result:
    """What became of a case: a fault, or else what was reported the file, or nothing where it was read."""

    case: Case
    fault: str = ""
    told: str = ""

    def __str__(self) -> str:
        again = f"pytest tests/fuzz --fuzz-format {self.case.form} --fuzz-case {self.case.number}"
        return f"{self.case.form} case {self.case.number} ({again}):\n{self.fault}"


# ---- in a process of its own


def tried(form: Format, case: Case, folder: Path) -> Result:
    """Run a case in a folder, which is emptied before."""
    try:
        seeds = form.seeds()
        if case.number is None:
            for name, content in seeds.items():
                _read(form, folder, name, content, content, Random(name))
            return Result(case)
        random = Random(f"{SEED} {case.form} {case.number}")
        name = random.choice(sorted(seeds))
        content = form.mutate(random, seeds[name])
        return Result(case, told=_read(form, folder, name, content, seeds[name], random))
    except BaseException as error:  # whatever it is, it is told to the other side
        said = "".join(traceback.format_exception(error))
        return Result(case, said[-_TAIL:])


def _read(form: Format, folder: Path, name: str, content: bytes, before: bytes, random: Random) -> str:
    """Return what is reported a file where it is refused."""
    place, temporary = folder / "case", folder / "temporary"
    for each in (place, temporary):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    tempfile.tempdir = str(temporary)
    os.chdir(place)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    told = ""
    try:
        form.read(path, before, random)
    except UserError as error:
        told = _printed(error)
        assert content != before, f"refused although it is whole: {told}"
    stray = sorted(str(each) for top in (place, temporary) for each in _left(top, {name, form.makes} - {""}))
    assert not stray, f"left behind: {', '.join(stray[:9])}"
    assert path.read_bytes() == content, "the file was changed"
    return told


def _printed(error: UserError) -> str:
    """Return the line that a command prints."""
    line = io.StringIO()
    with contextlib.redirect_stderr(line):
        errors.told(error)
    told = line.getvalue().removesuffix("\n")
    assert errors.shown(told) == told, f"not one line that can be printed: {told[:200]!r}"
    return told


def _left(top: Path, allowed: set[str]) -> Iterator[Path]:
    for each in top.rglob("*"):
        parts = each.relative_to(top)
        if each.is_file() and not any(parts.is_relative_to(name) for name in allowed):
            yield each


def _work(connection: Connection, folder: str, module: str) -> None:
    """Run cases until the other side ends; what libraries print goes into a log."""
    formats = importlib.import_module(module).FORMATS
    with (Path(folder) / "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        faulthandler.enable(log)
        while True:
            try:
                case = connection.recv()
            except EOFError:
                return
            if case.number is not None:  # shows where it hangs, just before it is killed
                faulthandler.dump_traceback_later(LIMIT_SECONDS * 0.9, file=log)
            result = tried(formats[case.form], case, Path(folder))
            faulthandler.cancel_dump_traceback_later()
            connection.send(result)


# ---- in the test's process


def run(cases: Iterable[Case], processes: int, module: str = "tests.fuzz.formats") -> Iterator[Result]:
    """Run cases, several at once, and give their results in order; the module has their `FORMATS`."""
    local = threading.local()
    workers: list[_Worker] = []

    def one(case: Case) -> Result:
        if not hasattr(local, "worker"):
            local.worker = _Worker(module)
            workers.append(local.worker)
        return local.worker.run(case)

    pool = ThreadPoolExecutor(processes)
    try:
        yield from pool.map(one, cases)
    finally:
        pool.shutdown(cancel_futures=True)
        for worker in workers:
            worker.end()


class _Worker:
    """A process that runs one case after another, begun anew where one breaks it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True)
        self._whole: dict[str, Result] = {}
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._folder.name, self._module), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, case: Case) -> Result:
        if case.number is not None:
            if case.form not in self._whole:
                self._whole[case.form] = self.run(Case(case.form, None))
            if self._whole[case.form].fault:
                return self._whole[case.form]
        self._connection.send(case)
        fault = self._watched(case.number is None)
        if not fault:
            try:
                return self._connection.recv()
            except (EOFError, ConnectionError):
                self._process.join()
                fault = f"the process ended with code {self._process.exitcode}"
        fault += "\n" + (Path(self._folder.name) / "log").read_text(errors="replace")[-_TAIL:]
        self.end()
        self._start()
        return Result(case, fault)

    def _watched(self, preparing: bool) -> str:
        """Wait for an answer or the process's end; say what limit it went beyond."""
        process = psutil.Process(self._process.pid)
        start, seconds = time.monotonic(), PREPARATION_SECONDS if preparing else LIMIT_SECONDS
        memory, used = process.memory_info().rss, sum(process.cpu_times()[:2])
        while not self._connection.poll(0.02):
            with contextlib.suppress(psutil.Error):
                if not preparing and process.memory_info().rss - memory > LIMIT_MEMORY:
                    return f"took more than {LIMIT_MEMORY >> 20} MiB of memory"
                if sum(process.cpu_times()[:2]) - used > seconds:
                    return f"took more than {seconds:g} s of the processor"
            if time.monotonic() - start > WAITING * seconds:
                return f"took more than {WAITING * seconds:g} s"
        return ""

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._folder.cleanup()
