"""Models as TFLite, of its built-in operations alone.

What a program needs to know beside the graph is appended as a zip file, as TFLite's metadata has it for associated
files: `labels.txt`, one class per line, and `instrec.json`. Runtimes ignore it; `zipfile.ZipFile` and `unzip` read it.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instrec.export.front_end import audio_model

if TYPE_CHECKING:
    from instrec.models.classifier import Classifier


def convert(trained: Classifier, path: Path, about: dict[str, Any]) -> None:
    """Write a model with any number of rows."""
    from tensorflow import lite

    model = audio_model(trained)
    model.export(path, format="litert", verbose=False, target_spec={"supported_ops": [lite.OpsSet.TFLITE_BUILTINS]})
    with zipfile.ZipFile(path, "a") as file:
        # `ZipInfo` alone is dated 1980, so that the same model gives the same bytes.
        file.writestr(zipfile.ZipInfo("labels.txt"), "".join(f"{name}\n" for name in about["classes"]))
        file.writestr(zipfile.ZipInfo("instrec.json"), json.dumps(about, indent=1))


def probabilities(path: Path, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Run the file on windows [shape=(windows, samples)]; give its outputs by name."""
    from tensorflow import lite

    run = lite.Interpreter(str(path)).get_signature_runner()
    given: dict[str, np.ndarray] = run(samples=samples)
    return given
