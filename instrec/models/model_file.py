"""Checks of a model file before the model is built, so that no file takes more memory than its size allows."""

from __future__ import annotations

import math
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instrec import params
from instrec.params_schema import build
from instrec.util import documents

CARD = "instrec.json"  # a member beside Keras's own
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {CARD, _CONFIG, _WEIGHTS, "metadata.json"}

_MOST_TEXT = 2**24  # bytes of a JSON member; the largest network's config has 2**20
_MOST_PACKED = 100  # times that weights may be larger unpacked, where they are large; random ones hardly shrink at all
_SMALL = 2**26  # bytes and numbers that any machine has room for: unpacked weights, an output of a layer
_MOST_WINDOW = 2**18  # samples
_MOST_BANK = 2**24  # bands times samples of a window


@dataclass(frozen=True)
class Card:
    """The classes, features and thresholds of a model.

    Attributes
    ----------
    classes : in the order of the presence output.
    clip, spectrogram : parameters of its features.
    thresholds : probability per class from which it is detected; chosen on validation data.
    """

    classes: tuple[str, ...]
    clip: params.ClipParams
    spectrogram: params.SpectrogramParams
    thresholds: tuple[float, ...]


class Damaged(Exception):
    """A model file is damaged; the message is the reason."""


def read(path: Path) -> tuple[Card, dict[str, Any], int]:
    """Read a model's card, Keras's config and the unpacked size of its weights in bytes, all checked.

    Raises
    ------
    Damaged
        If the archive has other members or impossible sizes, or if the card is incomplete or has values of another
        type, number or range.
    UserError
        If clip or spectrogram have other parameters than those of this version.
    """
    with zipfile.ZipFile(path) as file:
        _check_members(file.infolist())
        card, config = (_tree(file, name) for name in (CARD, _CONFIG))
        stored = file.getinfo(_WEIGHTS).file_size
    if not isinstance(config, dict):
        raise Damaged(f"{_CONFIG} holds no mapping")
    _check_modules(config)
    return _card(card, path), config, stored


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) != len(_MEMBERS) or set(names) != _MEMBERS:
        raise Damaged(f"its members are not {', '.join(sorted(_MEMBERS))}")
    for member in members:
        text = member.filename != _WEIGHTS
        most = _MOST_TEXT if text else max(_SMALL, _MOST_PACKED * member.compress_size)
        if member.file_size > most:
            raise Damaged(f"{member.filename} claims {member.file_size:,} bytes, {most:,} are allowed")


def _tree(file: zipfile.ZipFile, name: str) -> Any:
    try:
        return documents.parse_json(file.read(name), name)
    except documents.DocumentError as error:
        raise Damaged(str(error)) from error


def _check_modules(tree: Any) -> None:
    """Refuse classes that are not part of Keras."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            module = item.get("module")
            if module is not None and str(module).split(".")[0] not in ("keras", "builtins"):
                raise Damaged(f"{_CONFIG} names {str(module)[:80]}, which is not part of Keras")
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _card(tree: Any, path: Path) -> Card:
    if not isinstance(tree, dict) or (missing := {"classes", "clip", "spectrogram", "thresholds"} - tree.keys()):
        raise Damaged(f"{CARD} holds no card" if not isinstance(tree, dict) else f"{CARD}: no {min(missing)}")
    classes, thresholds = tree["classes"], tree["thresholds"]
    if not _texts(classes):
        raise Damaged(f"{CARD}: classes are no list of different names")
    if not isinstance(thresholds, list) or not all(_probability(each) for each in thresholds):
        raise Damaged(f"{CARD}: thresholds are no list of numbers within 0..1")
    if len(thresholds) != len(classes):
        raise Damaged(f"{CARD}: {len(thresholds)} thresholds for {len(classes)} classes")
    clip = build(params.ClipParams, tree["clip"], str(path))
    spectrogram = build(params.SpectrogramParams, tree["spectrogram"], str(path))
    _check_sizes(clip, spectrogram)
    return Card(tuple(classes), clip, spectrogram, tuple(map(float, thresholds)))


def _texts(names: Any) -> bool:
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(name, str) and name and name.isprintable() for name in names)
        and len(set(names)) == len(names)
    )


def _probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _check_sizes(clip: params.ClipParams, spectrogram: params.SpectrogramParams) -> None:
    """Refuse features that take much more memory than those of real models."""
    bands = max(1, spectrogram.mels)
    for what, size, most in (
        ("samples in a clip", clip.sample_rate * clip.seconds, _SMALL),
        ("samples in a window", spectrogram.window, _MOST_WINDOW),
        ("bands times samples of a window", bands * spectrogram.window, _MOST_BANK),
        ("features of a clip", bands * clip.sample_rate * clip.seconds / spectrogram.hop, _SMALL),
        ("pixels", spectrogram.pixels**2, _SMALL),
    ):
        if size > most:
            raise Damaged(f"{CARD}: {size:,.0f} {what}, {most:,} are allowed")


def check_network(config: dict[str, Any], card: Card, stored: int) -> None:
    """Check that a network fits its card and the number of stored weights, without creating any.

    Parameters
    ----------
    config : Keras's configuration of the model.
    stored : size of the file of weights, in bytes.

    Raises
    ------
    Damaged
        If something does not fit. Other errors are Keras's own, for a config that it cannot build.
    """
    with ThreadPoolExecutor(1) as pool:  # Keras keeps weights to be made later by thread: they end with this one
        outputs, weights, largest = pool.submit(_sizes, config).result()
    if weights > stored:
        raise Damaged(f"{_CONFIG} asks for {weights:,} weights, {stored:,} bytes of them are there")
    if largest > _SMALL:
        raise Damaged(f"{_CONFIG} has a layer that gives {largest:,} numbers for a clip, {_SMALL:,} are allowed")
    wanted = {"presence": len(card.classes), "count": 4}
    if "presence" not in outputs or any(outputs[name] != (wanted.get(name),) for name in outputs):
        raise Damaged(f"its network gives {outputs} for {len(card.classes)} classes")


def _sizes(config: dict[str, Any]) -> tuple[dict[str, tuple[int, ...]], int, int]:
    """Build a network without weights; return the shapes of its outputs, its number of weights, and its largest
    layer."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        network = keras.saving.deserialize_keras_object({**config, "compile_config": None}, safe_mode=True)
        if not isinstance(network, keras.Model) or len(network.inputs) != 1 or not isinstance(network.output, dict):
            raise Damaged(f"{_CONFIG} is no network with one input and named outputs")
        shapes = [output.shape for node in network.operations for output in keras.tree.flatten(node.output)]
        largest = max(math.prod(size or 1 for size in shape) for shape in shapes)
        outputs = {name: tuple(output.shape[1:]) for name, output in network.output.items()}
        return outputs, network.count_params(), largest
