"""What instrec needs on this machine: what is there, what is missing, and how to get it."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from instrec import errors
from instrec.errors import UserError

DEFAULT_PARAMS = Path("params.yaml")
THERE, MISSING, OPTIONAL = "ok", "missing", "optional"

_BEYOND = ("mirdata", "mlflow", "tf2onnx", "onnx", "matplotlib", "starlette", "uvicorn", "h11", "pillow")
"""Packages of the pipeline that it trains and evaluates without."""


@dataclass(frozen=True)
class Finding:
    """One thing looked for: `ok`, `missing`, or `optional` where it is absent and nothing depends on it.

    `detail` says what was found, or how to get it.
    """

    what: str
    state: str
    detail: str


def examine(model: Path | None, params: Path) -> list[Finding]:
    """Look for everything, in the order in which a new machine is set up; nothing absent stops the search."""
    training = params.exists() or params != DEFAULT_PARAMS
    python = Finding("Python", THERE, ".".join(map(str, sys.version_info[:3])))
    of_pipeline = (_fluidsynth(), *_soundfonts(params), _backend()) if training else ()
    return [python, *_packages(training), *of_pipeline, _gpu(), _model(model)]


def _packages(training: bool) -> Iterator[Finding]:
    """Look for what the package's own metadata asks for; in the project's folder its extras must be there, too."""
    for line in requires("instrec") or ():
        name, extra = re.split(r"[^\w.-]", line)[0], re.search(r"extra == ['\"](\w+)", line)
        if (extra and extra[1] not in ("plot", "serve", "export", "pipeline")) or name == "instrec":
            continue
        if installed := _version(name):
            yield Finding(name, THERE, installed)
        else:
            beyond = extra and (not training or name in _BEYOND)
            where = f"'instrec[{extra[1]}]'" if extra else "instrec"
            yield Finding(name, OPTIONAL if beyond else MISSING, f"pip install {where}")


def _version(name: str) -> str:
    """Return the version of a package, or nothing if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _fluidsynth() -> Finding:
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        return Finding("FluidSynth", MISSING, "sudo apt-get install libfluidsynth3")
    try:
        library = ctypes.CDLL(name)
        library.fluid_version_str.restype = ctypes.c_char_p
        return Finding("FluidSynth", THERE, f"{library.fluid_version_str().decode()} ({name})")
    except (OSError, AttributeError) as error:
        return Finding("FluidSynth", MISSING, f"{name} does not load ({error}); reinstall libfluidsynth3")


def _soundfonts(params: Path) -> Iterator[Finding]:
    from instrec.params import load
    from instrec.synthesis.soundfonts import catalog

    if not params.exists():
        yield Finding("params", MISSING, f"{params} is not there; run this in the repository, or give --params")
        return
    try:
        wanted = load(params).soundfonts
    except UserError as error:
        yield Finding("params", MISSING, _one_line(error))
        return
    for name in wanted.all:
        try:
            path = catalog.find(name, wanted.folders)
            catalog.verify(path)
            yield Finding(name, THERE, str(path))
        except UserError as error:
            yield Finding(name, MISSING, str(error).removeprefix(f"{name}: "))


def _backend() -> Finding:
    try:
        import keras
    except Exception as error:  # a backend that is absent or broken fails in many ways
        return Finding("Keras backend", MISSING, f"keras does not load: {_one_line(error)}")
    name = keras.backend.backend()
    return Finding("Keras backend", THERE, f"{name}; KERAS_BACKEND chooses another")


def _gpu() -> Finding:
    try:
        from instrec.models.backend import keras

        devices = keras.distribution.list_devices("gpu")
    except Exception:  # said under "Keras backend"
        devices = []
    if devices:
        return Finding("GPU", THERE, ", ".join(map(str, devices)))
    if (found := _graphics_cards()) and (tensorflow := _version("tensorflow")):
        mend = f"pip install 'tensorflow[and-cuda]=={tensorflow}'"
        return Finding("GPU", OPTIONAL, f"{found} is there, but Keras cannot use it: {mend}")
    return Finding("GPU", OPTIONAL, f"{found or 'none that Keras can use'}; prediction and training use all cores")


def _graphics_cards() -> str:
    """Ask NVIDIA's driver for the names of its cards."""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(done.stdout.split("\n")).rstrip(", ")


def _model(named: Path | None) -> Finding:
    from instrec.inference import model
    from instrec.models import released

    try:
        path = released.choose(named)
        classes = model.load(path).classes
    except UserError as error:
        return Finding("model", MISSING, str(error))
    return Finding("model", THERE, f"{path} ({len(classes)} classes)")


def _one_line(error: Exception) -> str:
    return errors.one_line(error)[:200]
