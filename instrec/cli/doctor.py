"""What instrec needs on this machine: what is there, what is missing, and how to get it."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from instrec import errors
from instrec.errors import UserError

THERE, MISSING, OPTIONAL = "ok", "missing", "optional"

# Distribution names, as pip knows them. What a command needs beyond these it pulls in by itself.
PACKAGES = (
    "numpy", "scipy", "av", "soxr", "librosa", "audiomentations", "h5py", "keras", "tensorflow",
    "scikit-learn", "pretty_midi", "pyfluidsynth", "matplotlib", "tqdm", "PyYAML", "dvc", "mirdata", "mlflow",
    "tf2onnx", "onnx", "onnxruntime",
)  # fmt: skip
_OPTIONAL = ("mirdata", "mlflow", "tf2onnx", "onnx", "onnxruntime")


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
    return [
        _python(),
        *map(_package, PACKAGES),
        _fluidsynth(),
        *_soundfonts(params),
        _backend(),
        _gpu(),
        _model(model),
    ]


def _python() -> Finding:
    return Finding("Python", THERE, ".".join(map(str, sys.version_info[:3])))


def _package(name: str) -> Finding:
    try:
        return Finding(name, THERE, version(name))
    except PackageNotFoundError:
        return Finding(name, OPTIONAL if name in _OPTIONAL else MISSING, "pip install -r requirements.txt")


def _fluidsynth() -> Finding:
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        return Finding("FluidSynth", MISSING, "sudo apt-get install libfluidsynth3")
    try:
        library = ctypes.CDLL(name)
        library.fluid_version_str.restype = ctypes.c_char_p
        return Finding("FluidSynth", THERE, f"{library.fluid_version_str().decode()} ({name})")
    except (OSError, AttributeError) as error:
        return Finding(
            "FluidSynth",
            MISSING,
            f"{name} does not load ({error}); reinstall libfluidsynth3",
        )


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
        return Finding(
            "Keras backend",
            MISSING,
            f"keras does not load: {_one_line(error)}",
        )
    name = keras.backend.backend()
    return Finding("Keras backend", THERE, f"{name}; KERAS_BACKEND chooses another")


def _gpu() -> Finding:
    try:
        import keras

        devices = keras.distribution.list_devices("gpu")
    except Exception:  # said under "Keras backend"
        devices = []
    if devices:
        return Finding("GPU", THERE, ", ".join(map(str, devices)))
    return Finding(
        "GPU",
        OPTIONAL,
        "none that Keras can use; all cores work instead",
    )


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
