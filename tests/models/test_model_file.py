"""Model files that are damaged, or made to take memory or time, are told in one line before they can."""

import itertools
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from instrec.errors import UserError
from instrec.models import classifier
from tests.refusals import refused
from tests.tone_model import CARD, build


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "m.keras"
    classifier.save(path, build().model, CARD)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def written(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def refusal(path, code="not-a-model"):
    """Loading takes neither memory nor time; give what is said."""
    limit, before = resource.getrlimit(resource.RLIMIT_AS), time.process_time()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, limit[1]))
    try:
        with refused(code, path) as error:
            classifier.load(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limit)
    assert time.process_time() - before < 20
    return str(error.value)


HUGE = 10**400

CARDS: dict[str, list[Any]] = {
    "thresholds": [None, 0.5, "0.5", [], [0.5, 0.5], [0.5] * 4, [0.5, 0.5, "0.5"], [0.5, 0.5, None], [0.5, 0.5, True],
                   [0.5, 0.5, [0.5]], [0.5, 0.5, 1.5], [0.5, 0.5, -0.1], [0.5, 0.5, float("nan")],
                   [0.5, 0.5, float("inf")], [0.5, 0.5, HUGE], {"a": 0.5}],
    "classes": [None, 3, "abc", [], ["violin", "flute"], ["violin", "flute", "flute"], ["violin", "flute", 3],
                ["violin", "flute", ""], ["violin", "flute", "a\nb"], ["violin", "flute", None], [["violin"]] * 3,
                {"violin": 1}],
    "clip": [{"sample_rate": 16000, "seconds": 10**12}, {"sample_rate": 16000, "seconds": HUGE},
             {"sample_rate": 16000, "seconds": float("nan")}, {"sample_rate": HUGE, "seconds": 1.0}],
    "spectrogram": [{"mels": HUGE}],
}  # fmt: skip
# As another version may have written them.
OTHER = {
    "clip": [None, [], "a", {}, {"sample_rate": [16000], "seconds": 1.0}],
    "spectrogram": [None, [], {}, "log_mel"],
}


def cases(cards):
    return [(key, value) for key, values in cards.items() for value in values]


@pytest.mark.parametrize(("key", "value"), cases(CARDS))
def test_a_card_with_something_else_in_it_is_told(tmp_path, members, key, value):
    card = json.loads(members["instrec.json"]) | {key: value}
    refusal(written(tmp_path / "m.keras", {**members, "instrec.json": json.dumps(card)}))


@pytest.mark.parametrize(("key", "value"), cases(OTHER))
def test_a_card_of_another_version_is_told(tmp_path, members, key, value):
    card = json.loads(members["instrec.json"]) | {key: value}
    refusal(written(tmp_path / "m.keras", {**members, "instrec.json": json.dumps(card)}), "model-outdated")


@pytest.mark.parametrize("key", CARDS)
def test_a_card_without_something_is_told(tmp_path, members, key):
    card = json.loads(members["instrec.json"])
    del card[key]
    assert key in refusal(written(tmp_path / "m.keras", {**members, "instrec.json": json.dumps(card)}))


_TAKE_MEMORY = ("window", "mels", "pixels")
_OUT_OF_RANGE = [(key, 10**12) for key in _TAKE_MEMORY]
_OUT_OF_RANGE += itertools.product((*_TAKE_MEMORY, "hop", "frames", "floor_db"), (HUGE, None, "1", -1))


@pytest.mark.parametrize(("key", "value"), _OUT_OF_RANGE)
def test_a_spectrogram_out_of_range_is_told(tmp_path, members, key, value):
    card = json.loads(members["instrec.json"])
    card["spectrogram"][key] = value
    path = written(tmp_path / "m.keras", {**members, "instrec.json": json.dumps(card)})
    refusal(path, "not-a-model" if value == HUGE else "model-outdated")


@pytest.mark.parametrize("name", ["instrec.json", "config.json"])
@pytest.mark.parametrize(
    "content",
    ["", "[]", "3", "null", "{}", "[" * 100_000, '{"a":' * 100_000, "9" * 5000, b"\xff\xfe", " " * 2**25],
    ids=["empty", "list", "number", "null", "mapping", "deep list", "deep mapping", "long number", "bytes", "long"],
)
def test_a_text_that_is_something_else_is_told(tmp_path, members, name, content):
    refusal(written(tmp_path / "m.keras", {**members, name: content}))


def test_members_that_do_not_belong_are_told(tmp_path, members):
    for other in ({"assets/a": b"1"}, {f"{number}": b"" for number in range(1000)}):
        assert "members" in refusal(written(tmp_path / "m.keras", {**members, **other}))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name in [*members, "instrec.json"]:
            file.writestr(name, members[name])
    assert "members" in refusal(tmp_path / "m.keras")


def test_a_bomb_is_told(tmp_path, members):
    bomb = {**members, "model.weights.h5": members["model.weights.h5"] + bytes(2**27)}
    assert "134," in refusal(written(tmp_path / "m.keras", bomb))


def changed(members, change):
    config = json.loads(members["config.json"])
    change({layer["config"]["name"]: layer for layer in config["config"]["layers"]}, config["config"])
    return {**members, "config.json": json.dumps(config)}


def more_units(layers, config):
    layers["presence"]["config"]["units"] = 10**9


def code(layers, config):
    layers["presence"].update(module="os", class_name="system", config={"command": "touch told"})


def another_number_of_classes(layers, config):
    layers["presence"]["config"]["units"] = 2


def giant_input(layers, config):
    next(iter(layers.values()))["config"]["batch_shape"] = [None, 10**6, 10**6, 1]


def layer_without_name(layers, config):
    del layers["count"]["class_name"]


def function(layers, config):
    layers["count"]["class_name"] = "Lambda"
    layers["count"]["config"] = {"name": "count", "function": {"class_name": "__lambda__", "config": {"code": "4wA="}}}


@pytest.mark.parametrize(
    "change", [more_units, code, another_number_of_classes, giant_input, layer_without_name, function]
)
def test_another_network_than_its_weights_is_told(tmp_path, members, change):
    refusal(written(tmp_path / "m.keras", changed(members, change)))
    classifier.load(written(tmp_path / "m.keras", members))  # nothing of it is left in Keras


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_told(tmp_path, members, value):
    (tmp_path / "w.h5").write_bytes(members["model.weights.h5"])
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file["layers/dense/vars/0"][3, 1] = value
    other = {**members, "model.weights.h5": (tmp_path / "w.h5").read_bytes()}
    assert "NaN or infinity" in refusal(written(tmp_path / "m.keras", other))


def test_flipped_bits_are_told_or_change_nothing(tmp_path, members):
    path = written(tmp_path / "m.keras", members)
    whole, random = path.read_bytes(), np.random.default_rng(11)
    wanted = [weight.tobytes() for weight in classifier.load(path).model.get_weights()]
    for place in random.choice(len(whole), 60, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = classifier.load(path)
        except UserError as error:
            assert error.subject == path
        else:
            assert (loaded.card, [weight.tobytes() for weight in loaded.model.get_weights()]) == (CARD, wanted), place


def test_features_of_another_shape_are_told():
    with refused("features-mismatch", "", "(3, 4, 1)", "`dvc repro`"):
        build().predict(np.zeros((1, 3, 4, 1)))


def test_a_full_disk_for_temporary_files_is_told_by_its_name(tmp_path, members):
    """As on a disk where no folder takes a file, which only a process of its own can meet."""
    path = written(tmp_path / "m.keras", members)
    program = (
        "import os, sys, tempfile, resource\nfrom pathlib import Path\n"
        "from instrec import errors\nfrom instrec.models import classifier\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "sys.exit(errors.run(lambda: classifier.load(Path(sys.argv[1])) and 0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"TMPDIR={tmp_path}" in done.stderr
