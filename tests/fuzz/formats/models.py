"""Model files: the model of three tones, its card and its members damaged."""

from __future__ import annotations

import functools
import io
import tempfile
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz import mutations
from tests.fuzz.harness import Format


@functools.cache
def seeds() -> dict[str, bytes]:
    from instrec.models import classifier
    from tests.tone_model import build

    built = build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classifier.keras"
        classifier.save(path, built.model, built.card)
        return {"classifier.keras": path.read_bytes()}


def _damaged(random: Random, data: bytes) -> bytes:
    """Damage the archive, or one of its members, with the archive whole again."""
    if random.random() < 0.2:
        return mutations.binary(random, data)
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        names = sorted(source.namelist())
        # The card is the product's own, and every other time it is hit.
        hit = "instrec.json" if random.random() < 0.5 else random.choice(names)
        for name in names:
            content = source.read(name)
            if name == hit:
                if random.random() < 0.1:
                    continue
                mutate = mutations.textual if name.endswith(".json") else mutations.binary
                content = mutate(random, content)
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _read(path: Path, before: bytes, random: Random) -> None:
    from instrec.models import classifier

    known = classifier.load(path)
    classes = known.card.classes
    assert len(known.card.thresholds) == len(classes), known.card
    assert all(isinstance(name, str) for name in classes), classes
    assert np.isfinite(known.card.thresholds).all(), known.card
    assert all(np.isfinite(weights).all() for weights in known.model.get_weights()), "weights that are not numbers"
    assert known.model.output["presence"].shape[-1] == len(classes), "another number of classes than the card has"


MODEL = Format(50, seeds, _damaged, _read, ("instrec.models.classifier", "instrec.models.model_file"))


def _exported() -> dict[str, bytes]:
    from instrec.models.released import PACKAGED

    return {"classifier.onnx": PACKAGED.read_bytes()}


def _read_exported(path: Path, before: bytes, random: Random) -> None:
    from instrec.inference import onnx_model

    known = onnx_model.load(path)
    assert len(known.thresholds) == len(known.classes), known.classes
    assert np.isfinite(known.thresholds).all(), known.thresholds


ONNX = Format(20, _exported, mutations.binary, _read_exported, ("instrec.inference.onnx_model",))
