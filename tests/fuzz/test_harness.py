"""The harness finds what it is there to find, and knows every reader of the product."""

from __future__ import annotations

import ast

import pytest

from tests.fuzz import broken_formats, harness
from tests.fuzz.formats import FORMATS

_PARSERS = {
    *("documents.load_yaml", "documents.parse_yaml", "documents.load_json", "documents.parse_json"),
    *("yaml.load", "json.loads", "json.load", "csv.DictReader", "csv.reader", "h5py.File", "int.from_bytes"),
    *(
        "struct.unpack",
        "header.unpack",
        "tarfile.open",
        "zipfile.ZipFile",
        "av.open",
        "np.memmap",
        "np.fromfile",
        "np.load",
    ),
}
_OTHERS = {  # what they read is not a file that a user brings
    "instrec.tracking.mlflow.registry": "what a process of its own prints",
    "instrec.export.tflite_file": "writes",
    "instrec.evaluation.figures": "tables of a run that has just written them",
    "instrec.training.checkpoints": "its own state, beside the model that it resumes",
    "instrec.tracking.reproductions.running": "what its own run has written",
    "instrec.inference.prediction": "what it has made itself",
    "instrec.tracking.reproductions.claims": "a file of the package",
    "instrec.models.audioset": "a file whose checksum it has compared",
    "instrec.util.packages": "what npm prints, and an archive whose checksum it has compared",
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "KeyError"),
        ("crashes", "ended with code -6"),
        ("hangs", "took more than 3 s\n"),
        ("works forever", "took more than 0.5 s of the processor"),
        ("eats memory", "of memory"),
        ("leaves a file", "litter"),
    ],
)
def test_every_kind_of_fault_is_found(monkeypatch, name, said):
    if name in ("hangs", "works forever"):  # all others have the time that a busy machine takes
        monkeypatch.setattr(harness, "LIMIT_SECONDS", 0.5)
    if name == "works forever":
        monkeypatch.setattr(harness, "WAITING", 1000)
    monkeypatch.setattr(harness, "LIMIT_MEMORY", 1 << 28)
    (result,) = harness.run([harness.Case(name, 0)], 1, broken_formats.__name__)
    assert said in result.fault
    assert f"--fuzz-format {name} --fuzz-case 0" in str(result)


def test_what_is_told_is_no_fault():
    (result,) = harness.run([harness.Case("tells", 0)], 1, broken_formats.__name__)
    assert (result.fault, result.told) == ("", "error: file: no")


def test_every_module_that_reads_files_is_tried(repository):
    reading = {
        ".".join(path.relative_to(repository).with_suffix("").parts).removesuffix(".__init__")
        for path in (repository / "instrec").rglob("*.py")
        if any(
            isinstance(node, ast.Attribute)
            and (ast.unparse(node) in _PARSERS or node.attr in ("unpack", "unpack_from"))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    covered = {module for form in FORMATS.values() for module in form.covers}
    assert reading - covered - set(_OTHERS) == set()
    assert len(reading) > 15
