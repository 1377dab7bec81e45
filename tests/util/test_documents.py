"""Every YAML and JSON file is read with limits, by one module; what breaks them is reported with file and line."""

import ast
import errno
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from instrec.util import documents
from tests.refusals import refused

ROOT = Path(__file__).parents[2]

_LAUGHS = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])

BAD_YAML = {
    "deep flow": ("[" * 20_000 + "]" * 20_000, "line 1", "nested"),
    "deep mappings": ("{a: " * 20_000 + "1" + "}" * 20_000, "nested"),
    "deep blocks": ("- " * 20_000 + "a", "nested"),
    "alias bomb": (_LAUGHS, "line 1", "anchors"),
    "endless alias": ("&a [*a]", "anchors"),
    "tag of float": ("a: 1\nb: !!float abc", "line 2", "the tag"),
    "tag of int": ("a: !!int ''", "the tag"),
    "tag of bool": ("a: !!bool maybe", "the tag"),
    "tag of time": ("a: !!timestamp x", "the tag"),
    "tag of Python": ("a: !!python/object/apply:os.getcwd []", "the tag"),
    "own tag": ("a: !own b", "the tag"),
    "month 13": ("a: 2020-13-01", "month"),
    "400 digits": ("a: 1\nb: " + "9" * 400, "line 2", "'999", "64 bits"),
    "5,000 digits": ("a: -" + "9" * 5000, "line 1", "64 bits"),
    "hexadecimal": ("a: 0x" + "f" * 5000, "64 bits"),
    "base 60": ("a: 1" + ":59" * 40_000, "64 bits"),
    "65 bits": (f"a: {2**64}", "64 bits"),
    "no digits": ("a: 0x_", "invalid literal"),
    "key twice": ("a: 1\nb: {c: 1,\n  c: 2}", "line 3", "'c'"),
    "true twice": ("yes: 1\ntrue: 2", "line 2", "True"),
    "list as key": ("? [a]\n: 1", "line 1"),
    "two documents": ("a: 1\n---\nb: 2", "line 2"),
    "unclosed": ("a: [1,\n", "line 2"),
    "control characters": ("a: \a", "control characters"),
    "half a character": ('a: "\\ud800"', "invalid Unicode"),
    "many values": ("[" + "[]," * 60_000 + "]", "100000"),
    "many bytes": ("a" * 5_000_000, "4 MB"),
}

BAD_JSON = {
    "deep lists": ("[" * 20_000 + "]" * 20_000, "nested"),
    "a little too deep": ("[" * 60 + "]" * 60, "nested"),
    "deep objects": ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested"),
    "NaN": ('{"a": NaN}', "NaN"),
    "infinity": ("[-Infinity]", "-Infinity"),
    "overflow": ("[1e999]", "1e999"),
    "400 digits": ("[" + "9" * 400 + "]", "64 bits"),
    "5,000 digits": ("[-" + "9" * 5000 + "]", "64 bits"),
    "key twice": ('{"a": {"b": 1, "c": 2, "c": 3}}', "'c'"),
    "half a character": ('["\\ud800"]', "half a character"),
    "unclosed": ('{"a":\n', "line 2"),
    "nothing": ("", "line 1"),
    "many bytes": (" " * 65_000_000 + "1", "64 MB"),
}


def told(path: Path, text: str | bytes, *named: str) -> None:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    load = documents.load_yaml if path.suffix == ".yaml" else documents.load_json
    start = time.process_time()
    with refused("document-unreadable", path, *named, "do this") as raised:
        load(path, remedy="do this")
    assert time.process_time() - start < 2
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("fault", BAD_YAML)
def test_bad_yaml_is_told(tmp_path, fault):
    told(tmp_path / "a.yaml", *BAD_YAML[fault])


@pytest.mark.parametrize("fault", BAD_JSON)
def test_bad_json_is_told(tmp_path, fault):
    told(tmp_path / "a.json", *BAD_JSON[fault])


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_told_with_the_line(tmp_path, name, encoding):
    told(tmp_path / name, '{"a":\n"ä"}'.encode(encoding), f"line {2 if encoding == 'latin-1' else 1}", "UTF-8")


@pytest.mark.parametrize("load", [documents.load_yaml, documents.load_json])
def test_what_is_no_file_is_told(tmp_path, load):
    with refused("document-unreadable", tmp_path, "folder"):
        load(tmp_path)
    with refused("document-unreadable", tmp_path / "none", os.strerror(errno.ENOENT)):
        load(tmp_path / "none")
    with refused("document-unreadable", "/dev/zero", "device"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize("load", [documents.load_yaml, documents.load_json])
def test_good_files_arrive_with_a_byte_order_mark_too(tmp_path, load):
    tree = {"a": [1, -2.5, None, True, "ä"], "b": {"c": {}}, "d": 2**64 - 1, "e": -(2**63), "1": "1"}
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a").write_bytes(mark + json.dumps(tree).encode())
        assert load(tmp_path / "a") == tree


def test_a_large_lock_takes_less_time_than_with_the_loader_of_pyyaml():
    """Five hundred stages: far more than the project has."""
    out = "path: build/{n}\n      hash: md5\n      md5: 0123456789abcdef0123456789abcdef\n      size: {n}\n"
    text = "stages:\n" + "".join(f"  s{n}:\n    outs:\n    - {out.format(n=n)}" for n in range(500))
    ours, theirs = [], []
    for _ in range(3):  # the least: a collection of garbage, or another thread, may take long in one
        start = time.process_time()
        tree = documents.parse_yaml(text.encode(), "dvc.lock")
        ours.append(time.process_time() - start)
        start = time.process_time()
        assert yaml.safe_load(text) == tree
        theirs.append(time.process_time() - start)
    assert min(ours) < min(theirs)
    assert tree["stages"]["s7"]["outs"][0]["size"] == 7


# How often another module parses what no user can have written.
ELSEWHERE = {
    "instrec/inference/onnx_model.py": 1,  # whatever is wrong in it, the model is refused
    "instrec/training/checkpoints.py": 1,  # its own state, whose checksums were tested
    "instrec/models/classifier.py": 1,  # what Keras has just written
    "instrec/tracking/mlflow/registry.py": 1,  # what its own process has printed
}


def test_no_other_module_parses_yaml_or_json():
    """Writing is free: `json.dump`, `yaml.safe_dump`."""
    found: Counter[str] = Counter()
    for file in (file for folder in ("instrec", "stages", "scripts") for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = [node.value.id, node.attr]
            names = [node.module, *(each.name for each in node.names)] if isinstance(node, ast.ImportFrom) else names
            parsed = any("load" in name or name in ("parse", "JSONDecoder") for name in names[1:])
            if names and names[0] in ("json", "yaml") and parsed:
                found[file.relative_to(ROOT).as_posix()] += 1
    assert found.pop("instrec/util/documents.py")
    assert found == ELSEWHERE


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (lambda tree: tree["c"], "'c' is missing"),
        (lambda tree: tree["a"][3], "out of range"),
        (lambda tree: tree["a"]["b"], "must be integers"),
        (lambda tree: tree["b"].items(), "no attribute"),
        (lambda tree: int(tree["b"]), "invalid literal"),
        (lambda tree: int(tree["a"][0] * 1e300), "infinity"),
    ],
)
def test_what_is_not_as_expected_is_the_fault_of_the_file(taken, said):
    tree = {"a": [1e300], "b": "x"}
    with refused("document-unreadable", "x.json", said, "restore it"), documents.expected("x.json", "restore it"):
        taken(tree)
