"""A trained model as ONNX or TFLite: sound in, probabilities out, checked to be the same as Keras gives."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from instrec import features
from instrec.audio.loudness import SILENCE_DBFS
from instrec.errors import UserError
from instrec.export import int8, onnx_file, tflite_file
from instrec.export.front_end import FEATURES, INPUT
from instrec.export.probes import probes
from instrec.inference import keras_model
from instrec.models import classifier
from instrec.models.classifier import Classifier
from instrec.util.files import temporary_files, temporary_folder, written_whole

TOLERANCE = 1e-4
"""The largest difference of a probability between an exported file and Keras."""

INT8_TOLERANCE = 0.02
"""The largest mean difference with convolutions of 8 bits, on clips that had no part in choosing their ranges."""

FORMATS = {"onnx": onnx_file, "tflite": tflite_file}


@dataclass(frozen=True)
class Exported:
    """What was written: its size, and how far its probabilities are from Keras's on so many windows of sound.

    With 8 bits, `difference` is the mean, and else the largest.
    """

    size: int
    difference: float
    windows: int


def export(model: Path, form: str, output: Path, *, clips: Path | None = None) -> Exported:
    """Write a model as `onnx` or `tflite`.

    The graph takes windows of sound, `samples` [shape=(windows, samples), float32, -1..1], any number of them, and
    gives `presence` and, where the model counts, `count`, as `Classifier.predict` gives them. What a program needs to
    know beyond that is in the file (`description`).

    Parameters
    ----------
    clips : features of clips, as stage spectrograms writes them: convolutions get 8 bits, for the ranges of their
        activations on every other one of these; `onnx` alone.

    Raises
    ------
    UserError
        If the model cannot be read, has no counterpart in that format or gives other probabilities there; if a
        package is missing, or the file cannot be written.
    """
    if output.suffix != f".{form}":
        raise UserError("suffix-not-allowed", f"--output {output}", f"a file of format {form} ends in .{form}")
    if clips is not None and form != "onnx":
        raise UserError("arguments-invalid", "--int8", f"--format onnx alone has it, not {form}")
    with written_whole(output) as part:
        part.touch()  # a folder that takes no files is reported before the work
        trained = classifier.load(model)
        inputs = None if clips is None else int8.read_clips(clips, trained.model.input_shape[1:])
        with (
            temporary_folder() as folder,
            warnings.catch_warnings(action="ignore"),  # of names that the converters' own code should not use
        ):
            made = folder / f"model.{form}"
            _convert(trained, model, form, made)
            exported = _checked(trained, model, form, made)
            if inputs is not None:
                exported = _with_8_bits(trained, model, made, inputs)
            content = made.read_bytes()
        part.write_bytes(content)
    return exported


def description(trained: Classifier, model: Path, form: str) -> dict[str, Any]:
    """Tell what a program must know to use the graph, by name; all plain values."""
    card = trained.card
    described = {
        "name": "instrec",
        "version": version("instrec"),
        # As in dvc.lock and .dvc files: `git log -S` finds its commit.
        "model_md5": hashlib.md5(model.read_bytes(), usedforsecurity=False).hexdigest(),
        "license": "MIT",
        "input": f"{INPUT}: float32 [windows, {card.clip.samples}], mono sound at {card.clip.sample_rate} Hz, -1..1; "
        "what is shorter is filled up with zeros",
        "output_presence": f"float32 [windows, {len(card.classes)}]: probability of each class, in their order; "
        "a class is present from its threshold on, and none in a window whose RMS level is under silence_dbfs",
        "sample_rate": card.clip.sample_rate,
        "window_samples": card.clip.samples,
        "hop_samples": keras_model.made(trained).hop(),
        "silence_dbfs": SILENCE_DBFS,
        "classes": list(card.classes),
        "thresholds": list(card.thresholds),
        "spectrogram": asdict(card.spectrogram),
    }
    if form == "onnx":
        described[f"input_{FEATURES}"] = (
            "float32, features as `spectrogram` has them, of windows whose outputs come behind those of the samples; "
            "none where it is left out"
        )
    if "count" in trained.model.output_names:
        described["output_count"] = "float32 [windows, 4]: probability of 0, 1, 2, and 3 or more instruments at once"
    return described


def _convert(trained: Classifier, model: Path, form: str, made: Path) -> None:
    from instrec.models.backend import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "backend-unsupported",
            f"KERAS_BACKEND={keras.backend.backend()}",
            "export works with KERAS_BACKEND=tensorflow alone",
        )
    try:
        with temporary_files():
            FORMATS[form].convert(trained, made, description(trained, model, form))
    except UserError as error:
        if error.code == "temporary-folder-full":
            raise
        raise UserError(error.code, model, str(error)) from error
    except ImportError as error:
        raise UserError(
            "package-missing", f"--format {form}", f"package {error.name} is missing; pip install 'instrec[pipeline]'"
        ) from error
    except Exception as error:  # each converter has its own
        raise UserError("export-failed", model, f"cannot be turned into {form} ({_brief(error)})") from error


def _checked(trained: Classifier, model: Path, form: str, made: Path) -> Exported:
    """Compare probabilities on sounds of every kind, in a batch and alone."""
    card = trained.card
    sounds = probes(card.clip)
    presence, count = trained.predict(features.from_params(card.clip, card.spectrogram).batch(sounds))
    wanted = {"presence": presence} if count is None else {"presence": presence, "count": count}
    difference = 0.0
    try:
        for windows in (slice(None), slice(-1, None)):
            given = FORMATS[form].probabilities(made, sounds[windows])
            difference = max([difference, *(_furthest(given[name], wanted[name][windows]) for name in wanted)])
    except Exception as error:  # each runtime has its own
        raise UserError("export-failed", model, f"its {form} does not run ({_brief(error)}); not written") from error
    if not difference <= TOLERANCE:
        raise UserError(
            "export-differs",
            model,
            f"its {form} gives probabilities that differ from Keras's by up to {difference:.2g}, where "
            f"{TOLERANCE:g} is allowed; not written",
        )
    return Exported(made.stat().st_size, difference, len(sounds))


def _with_8_bits(trained: Classifier, model: Path, made: Path, clips: np.ndarray) -> Exported:
    """Give the convolutions of a file 8 bits; compare probabilities on clips that had no part in it."""
    try:
        window, others = trained.card.clip.samples, clips[1::2]
        int8.quantize(made, clips[::2], window)
        difference = float(np.abs(int8.presence(made, others, window) - trained.predict(others)[0]).mean())
    except Exception as error:  # as in `_convert`
        raise UserError("export-failed", model, f"cannot have 8 bits ({_brief(error)})") from error
    if not difference <= INT8_TOLERANCE:
        raise UserError(
            "export-differs",
            model,
            f"with 8 bits its probabilities differ from Keras's by {difference:.2g} on average, where "
            f"{INT8_TOLERANCE:g} is allowed; not written",
        )
    return Exported(made.stat().st_size, difference, len(others))


def _brief(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first[:100]}"


def _furthest(given: np.ndarray, wanted: np.ndarray) -> float:
    if given.shape != wanted.shape:
        raise ValueError(f"shape {given.shape} where {wanted.shape} was expected")
    # A probability that is no number is as wrong as can be.
    return float(np.nan_to_num(np.abs(given - wanted), nan=np.inf).max())
