"""Every parameter is checked, and what is wrong is named section.key."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from instrec import params
from instrec.params_schema import build
from tests.refusals import refused

TREE = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
GONE = object()
FREE = (
    "model.variant",  # each architecture knows its own
    "model.weights_folder",
    "train.start",
    "cluster",
    "soundfonts.unseen",
    "sources.recordings",
    "sources.midi",
    "sources.corpora",
)  # any text will do


def keys(tree: dict[str, Any], before: str = "") -> list[str]:
    """All parameters, as section.key."""
    return [
        name
        for key, value in tree.items()
        for name in (keys(value, f"{before}{key}.") if isinstance(value, dict) else [f"{before}{key}"])
    ]


def load(folder: Path, name: str, value: Any) -> params.Params:
    """Load params.yaml with one parameter changed."""
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    *sections, key = name.split(".")
    place = tree
    for section in sections:
        place = place[section]
    if value is GONE:
        del place[key]
    else:
        place[key] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(tree))
    return params.load(path)


def test_every_parameter_of_the_file_arrives(full_params):
    tree = yaml.safe_load(yaml.safe_dump(TREE))

    def listed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: listed(each) for key, each in value.items()}
        return list(value) if isinstance(value, tuple) else value

    assert listed(asdict(full_params)) == tree
    assert full_params.clip.samples == round(full_params.clip.sample_rate * full_params.clip.seconds)


@pytest.mark.parametrize("name", [*keys(TREE), *(key for key, value in TREE.items() if isinstance(value, dict))])
def test_a_missing_key_is_named(tmp_path, name):
    with refused("key-missing", f"{tmp_path}/params.yaml: {name}"):
        load(tmp_path, name, GONE)


@pytest.mark.parametrize("name", keys(TREE))
@pytest.mark.parametrize("value", [None, {"a": 1}, [1, "two"], "seventy words"])
def test_a_value_of_another_kind_is_named(tmp_path, name, value):
    if isinstance(value, str) and name in FREE:
        assert load(tmp_path, name, value) != build(params.Params, TREE, "")
        return
    with refused("value-invalid", f"{tmp_path}/params.yaml: {name}"):
        load(tmp_path, name, value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sead", "did you mean seed"),
        ("clip.secnds", "did you mean seconds"),
        ("noise.min_snr", "did you mean min_snr_db"),
        ("tracking.zzz", "allowed: mlflow"),
    ],
)
def test_an_unknown_key_is_named_with_the_likely_one(tmp_path, name, hint):
    with refused("key-unknown", f"{tmp_path}/params.yaml: {name}", hint):
        load(tmp_path, name, 1)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("seed", [-1, 2**32]),
        ("workers", [-1, 1.5, True]),
        ("clip.sample_rate", [0, 7999, 96001, 22050.0]),
        ("clip.seconds", [0, -1.0, float("nan"), float("inf")]),
        ("balance.noisy_share", [-0.01, 1.01, 70, float("nan")]),
        ("balance.train_per_class", [-1, 0.5]),
        ("balance.fill_up", [1, "no"]),
        ("synth.reverb_probability", [-0.1, 2]),
        ("synth.detune_cents", [-1]),
        ("noise.min_snr_db", [float("nan"), float("-inf")]),
        ("spectrogram.hop", [0]),
        ("selection.test_hop_share", [0, 1.1]),
        ("train.label_smoothing", [1.5]),
        ("train.class_weights", ["equal", True]),
        ("train.momentum", [1.1]),
        ("train.epochs", [0]),
        ("tracking.mlflow", [1, "yes"]),
        ("classes", [[]]),
        ("soundfonts.train", [[]]),
    ],
)
def test_a_value_out_of_range_is_named(tmp_path, name, values):
    for value in values:
        with refused("value-invalid", f"{tmp_path}/params.yaml: {name}"):
            load(tmp_path, name, value)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("selection.test_hop_share", 0.003, "parameters-conflict"),
        ("train.mask_mels", 97, "parameters-conflict"),
        ("train.start_share", 0.5, "parameters-conflict"),
        ("model.weights", "audioset", "parameters-conflict"),
        ("classes", ["violin", "violin"], "value-repeated"),
        ("classes", ["kazoo"], "value-unknown"),
        ("soundfonts.unseen", "FluidR3_GM.sf2", "parameters-conflict"),
    ],
)
def test_a_value_that_does_not_go_with_the_others_is_named(tmp_path, name, value, code):
    with refused(code, f"params.yaml: {name}"):
        load(tmp_path, name, value)


AUGMENTATION = ("shorten_probability", "noise_floor_probability", "color_db", "mix_probability")


@pytest.mark.parametrize("key", [*AUGMENTATION, "roll_seconds", "mask_mels"])
def test_a_waveform_is_not_augmented_as_a_spectrogram(key):
    none = dict.fromkeys((*AUGMENTATION, "roll_seconds", "mask_mels"), 0)
    tree = TREE | {"spectrogram": TREE["spectrogram"] | {"name": "waveform"}, "train": TREE["train"] | none}
    assert build(params.Params, tree, "").spectrogram.name == "waveform"
    tree["train"] |= {key: 1}
    with refused("parameters-conflict", f"params.yaml: train.{key}"):
        build(params.Params, tree, "")


def test_noisy_copies_are_of_clean_clips(tmp_path):
    with refused("parameters-conflict", "params.yaml: balance.noisy_share", "set it to 0"):
        load(tmp_path, "balance.noisy_copies", True)


@pytest.mark.parametrize("role", ["train", "valid"])
def test_the_unseen_soundfont_may_not_be_heard(tmp_path, role):
    with refused("parameters-conflict", "params.yaml: soundfonts.unseen", "TimGM6mb.sf2"):
        load(tmp_path, f"soundfonts.{role}", ["a.sf2", "TimGM6mb.sf2"])


def test_whole_numbers_pass_for_decimal_ones(tmp_path):
    seconds = load(tmp_path, "clip.seconds", 3).clip.seconds
    assert (seconds, type(seconds)) == (3.0, float)
    assert load(tmp_path, "soundfonts.valid", []).soundfonts.valid == ()
    assert load(tmp_path, "soundfonts.valid", ["b.sf2"]).soundfonts.all[-2:] == ("b.sf2", "TimGM6mb.sf2")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "document-unreadable"),
        (b"", "not-a-mapping"),
        (b"- a\n- b\n", "not-a-mapping"),
        (b"seed: [", "document-unreadable"),
        (b"seed: \xff\xfe", "document-unreadable"),
        (b"5", "not-a-mapping"),
    ],
)
def test_what_is_no_mapping_of_parameters_is_named(tmp_path, content, code):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with refused(code, path, *(["git checkout"] if code == "document-unreadable" else [])):
        params.load(path)


@pytest.mark.parametrize("value", ["9" * 400, "9" * 5000, "!!float abc", "&a [*a]", "2020-13-01"])
def test_a_value_that_no_run_could_use_is_named(tmp_path, value):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(TREE).replace("epochs: ", f"epochs: {value} # "))
    with refused("document-unreadable", path):
        params.load(path)


@pytest.mark.parametrize("name", ["train.epochs", "balance.train_per_class", "workers", "synth.zone_shift"])
def test_an_absurd_number_is_named(tmp_path, name):
    for value in (2**31, 10**12, 2**63):
        with refused("value-invalid", f"{tmp_path}/params.yaml: {name}", value):
            load(tmp_path, name, value)
