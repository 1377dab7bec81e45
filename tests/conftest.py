"""What tests share: the repository's own params.yaml made small, scores of single notes, an MLflow server.

All that takes long to import is imported by the fixture that needs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from instrec import params
from instrec.tracking.mlflow import runs
from tests import documented, toy_pipeline
from tests.miniature import environment, make_repository
from tests.mlflow_process import serving_mlflow
from tests.shared import once

if TYPE_CHECKING:
    import pretty_midi
    from playwright.sync_api import Browser

    from instrec.synthesis.fluidsynth import Synth

ROOT = Path(__file__).parents[1]
FIRST, LONG, LONG_COPIES, REST, ALONE = range(5)

# MLflow reads some of these when it is first imported, whichever test does that.
os.environ.update(runs.SETTINGS)


def pytest_configure() -> None:
    """Let examples take their time: on a busy machine, a deadline fails tests that are right."""
    from hypothesis import settings

    settings.register_profile("instrec", deadline=None)
    settings.load_profile("instrec")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs the pipeline; share the tests out, file by file, so that no process waits for another.

    Files marked `long` come first. One process builds the miniature for the first of them that copies it; meanwhile
    the others run those that need none. Then come all other files, and last the tests marked `alone`: where one process
    is done, it takes the next.
    """
    files: dict[Path, int] = {}
    for item in items:
        alone = item.get_closest_marker("alone")
        copies = "miniature" in getattr(item, "fixturenames", ())
        if copies or alone:
            item.add_marker(pytest.mark.pipeline)
        if not alone:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))
        long = LONG_COPIES if copies else LONG
        rank = ALONE if alone else long if item.get_closest_marker("long") else REST
        files[item.path] = max(files.get(item.path, FIRST), rank)
    first = next((path for path, rank in files.items() if rank == LONG_COPIES), None)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: FIRST if item.path == first else files[item.path])


@pytest.fixture(scope="module")
def module_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of a test file, for what is too large to lie on the disk until all tests have run.

    Each file has a name of its own: MLflow keeps databases open, and would read a deleted one at the same path.
    """
    folder = tmp_path_factory.mktemp(request.path.stem)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def full_params() -> params.Params:
    return params.load(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def small_params(full_params: params.Params) -> params.Params:
    """Four classes, a few clips of a second, SoundFonts that load at once, one process."""
    return replace(
        full_params,
        workers=1,
        classes=("violin", "flute", "piano", "drums"),
        clip=params.ClipParams(sample_rate=22050, seconds=1.0),
        soundfonts=replace(full_params.soundfonts, train=("sf_GMbank.sf2",), valid=(), unseen="TimGM6mb.sf2"),
        balance=replace(full_params.balance, train_per_class=6, train_mixtures=9, valid_per_class=3, valid_mixtures=4),
    )


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that knows three tones: tests/tone_model.py."""
    from instrec.models import classifier
    from tests.tone_model import CARD, build

    path = tmp_path_factory.mktemp("tones") / "tones.keras"
    classifier.save(path, build().model, CARD)
    return path


@pytest.fixture(scope="session")
def tones_onnx(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as ONNX, once for all processes of a test run."""
    from instrec import export

    def build(folder: Path) -> None:
        folder.mkdir()
        export.export(tones, "onnx", folder / "tones.onnx")

    return once(tmp_path_factory, "tones-onnx", build) / "tones.onnx"


@pytest.fixture(scope="session")
def synth(full_params: params.Params) -> Synth:
    from instrec.synthesis.fluidsynth import Synth
    from instrec.synthesis.soundfonts import catalog

    return Synth(catalog.find("TimGM6mb.sf2", full_params.soundfonts.folders), full_params.clip.sample_rate)


@dataclass(frozen=True)
class Cluster:
    """A Dask scheduler on the loopback, and what starts workers for it."""

    address: str
    start: Callable[[], subprocess.Popen[str]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers of one thread each, processes of their own; `start` makes one more.

    They end with their tests: with nothing to do, each takes a twentieth of a processor.
    """
    from distributed import Client

    folder = tmp_path_factory.mktemp("cluster")
    running: list[subprocess.Popen[str]] = []
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    file = folder / "scheduler.json"

    def start(*command: str) -> subprocess.Popen[str]:
        log = (folder / f"{len(running)}.log").open("w")
        command = (sys.executable, "-m", "dask", *command, "--no-dashboard")
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True))
        return running[-1]

    def worker() -> subprocess.Popen[str]:
        return start("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")

    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    for _ in range(2):
        worker()
    try:
        with Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            yield Cluster(client.scheduler.address, worker)
    finally:
        for process in running:
            process.kill()


Notes = tuple[int, float, float]  # pitch, start, end in seconds


@pytest.fixture(scope="session")
def score_of() -> Callable[..., pretty_midi.PrettyMIDI]:
    """Make a score of one track from its program (None for drums) and notes."""
    import pretty_midi

    def make(program: int | None, *notes: Notes) -> pretty_midi.PrettyMIDI:
        score = pretty_midi.PrettyMIDI()
        track = pretty_midi.Instrument(program or 0, is_drum=program is None)
        track.notes = [pretty_midi.Note(100, *note) for note in notes]
        score.instruments.append(track)
        return score

    return make


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an MLflow server as docs/tracking.md does, on a free port; give its address."""
    (command,) = (line for line in documented.commands("tracking.md") if line.startswith("mlflow server"))
    with serving_mlflow(command, tmp_path_factory.mktemp("mlflow-server")) as address:
        yield address


@pytest.fixture(scope="module")
def eager() -> Iterator[None]:
    """Compute step by step: tracing the graph of a network takes longer than its few steps."""
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no browser; bash scripts/system_packages.sh --browser"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pipeline in miniature, once for all processes of a test run; it is not to be changed, but copied."""

    def build(repository: Path) -> None:
        make_repository(repository)
        with repository.with_suffix(".log").open("w+b") as log:  # --quiet: of what the stages print alone
            command = [sys.executable, "-m", "dvc", "repro", "--quiet"]
            done = subprocess.run(command, cwd=repository, env=environment(), stdout=log, stderr=log, check=False)
            log.seek(0)
            assert done.returncode == 0, log.read().decode()

    return once(tmp_path_factory, "miniature", build)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository whose pipeline is a toy, once for all processes of a test run; not to be changed, but copied."""
    return once(tmp_path_factory, "toy", toy_pipeline.make)
