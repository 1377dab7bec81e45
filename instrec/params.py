"""The knobs of the pipeline, typed and checked: frozen dataclasses, one a section of `params.yaml`."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from instrec import taxonomy
from instrec.errors import UserError

Section = TypeVar("Section")

SHORTEST_HOP_SECONDS = 0.01  # clips' ids tell their starts to so much


@dataclass(frozen=True)
class ClipParams:
    sample_rate: int
    seconds: float

    @property
    def samples(self) -> int:
        return round(self.sample_rate * self.seconds)


@dataclass(frozen=True)
class SourcesParams:
    recordings: str
    midi: str
    corpora: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class SoundFontParams:
    folders: tuple[str, ...]
    train: tuple[str, ...]
    valid: tuple[str, ...]
    unseen: str

    def __post_init__(self) -> None:
        if self.unseen in (*self.train, *self.valid):
            raise UserError(f"params.yaml: soundfonts.unseen: {self.unseen} is heard in training; name another")

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.train, *self.valid, self.unseen)))


@dataclass(frozen=True)
class SelectionParams:
    start: Literal["hop", "onset"]
    hop_share: float
    test_hop_share: float
    silence_dbfs: float


@dataclass(frozen=True)
class BalanceParams:
    train_per_class: int
    train_mixtures: int
    valid_per_class: int
    valid_mixtures: int
    composed_per_class: int
    composed_mixtures: int
    noisy_share: float
    valid_share: float
    test_share: float


@dataclass(frozen=True)
class ScoreParams:
    style: Literal["idiomatic", "uniform"]


@dataclass(frozen=True)
class SynthParams:
    reverb_probability: float
    chorus_probability: float
    detune_cents: float
    zone_shift: int
    brightness_cents: float
    envelope_timecents: float
    preroll_seconds: float


@dataclass(frozen=True)
class NoiseParams:
    equalizer_probability: float
    reverb_probability: float
    band_limit_probability: float
    distortion_probability: float
    background_probability: float
    sethi_probability: float
    min_snr_db: float
    max_snr_db: float


@dataclass(frozen=True)
class SpectrogramParams:
    name: Literal["log_mel", "multi_resolution", "image", "phase_image"]
    part: Literal[
        "whole", "harmonic", "percussive", "harmonic_percussive", "solo", "accompaniment", "solo_accompaniment"
    ]
    scale: Literal["decibels", "log"]
    window: int
    hop: int
    mels: int
    min_hz: float
    max_hz: float
    floor_db: float
    frames: int
    pixels: int


@dataclass(frozen=True)
class ModelParams:
    name: str
    width: int
    blocks: int
    dense: tuple[int, ...]
    weights: Literal["none", "imagenet"]
    frozen: bool


@dataclass(frozen=True)
class TrainParams:
    epochs: int
    regenerate_every: int
    patience: int
    batch_size: int
    optimizer: Literal["adamw", "adam", "sgd"]
    momentum: float
    nesterov: bool
    learning_rate: float
    schedule: Literal["cosine", "constant", "exponential", "inverse"]
    decay: float
    monitor: Literal["loss", "presence_f1", "count_accuracy"]
    min_delta: float
    weight_decay: float
    label_smoothing: float
    mix_probability: float
    roll_seconds: float
    mask_mels: int
    color_db: float


@dataclass(frozen=True)
class EvaluateParams:
    bootstrap_rounds: int


@dataclass(frozen=True)
class TrackingParams:
    mlflow: bool


@dataclass(frozen=True)
class Params:
    seed: int
    workers: int
    task: Literal["count_presence", "multilabel", "solo"]
    classes: tuple[str, ...]
    clip: ClipParams
    sources: SourcesParams
    soundfonts: SoundFontParams
    selection: SelectionParams
    balance: BalanceParams
    scores: ScoreParams
    synth: SynthParams
    noise: NoiseParams
    spectrogram: SpectrogramParams
    model: ModelParams
    train: TrainParams
    evaluate: EvaluateParams
    tracking: TrackingParams

    def __post_init__(self) -> None:
        """Check what no section can tell alone."""
        decibels = self.spectrogram.name != "phase_image" and self.spectrogram.scale == "decibels"
        for name, value, allowed, why in (
            ("train.mix_probability", self.train.mix_probability, decibels, "only decibels can be mixed"),
            ("train.color_db", self.train.color_db, decibels, "only decibels can be coloured"),
            ("train.mix_probability", self.train.mix_probability, self.task != "solo", "task solo knows no mixtures"),
            ("balance.train_mixtures", self.balance.train_mixtures, self.task != "solo", "task solo knows no mixtures"),
            ("balance.valid_mixtures", self.balance.valid_mixtures, self.task != "solo", "task solo knows no mixtures"),
        ):
            if value and not allowed:
                raise UserError(f"params.yaml: {name}: {value}, but {why}; set it to 0")
        for knob, share in (("hop_share", self.selection.hop_share), ("test_hop_share", self.selection.test_hop_share)):
            if share * self.clip.seconds < SHORTEST_HOP_SECONDS:
                raise UserError(
                    f"params.yaml: selection.{knob}: {share:g} of a clip of {self.clip.seconds:g} s is under "
                    f"{SHORTEST_HOP_SECONDS} s; raise it"
                )
        image = self.spectrogram.name in ("image", "phase_image")
        knob, bins = ("pixels", self.spectrogram.pixels) if image else ("mels", self.spectrogram.mels)
        if 0 < bins < self.train.mask_mels:
            raise UserError(
                f"params.yaml: train.mask_mels: {self.train.mask_mels} is above spectrogram.{knob}, {bins}; lower it"
            )
        if self.train.monitor == "count_accuracy" and self.task != "count_presence":
            raise UserError(
                f"params.yaml: train.monitor: count_accuracy, but task {self.task} does not count; "
                "choose loss or presence_f1"
            )


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check every knob.

    Raises
    ------
    UserError
        When the file is missing or not YAML, or naming the `section.key` that is unknown, missing or out of range.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    return build(Params, tree, str(path))


def build(section: type[Section], tree: Any, where: str) -> Section:
    """Make a dataclass from a mapping, checking every key, type and range; `where` names the mapping in errors."""
    if not isinstance(tree, dict):
        raise UserError(f"{where}: expected a mapping of keys to values, found {tree!r}")
    hints = get_type_hints(section)
    joint = ": " if section is Params else "."
    for key in tree:
        if key not in hints:
            close = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(hints)}"
            raise UserError(f"{where}{joint}{key}: unknown key; {hint}")
    values = {}
    for field in fields(section):  # type: ignore[arg-type]
        name = f"{where}{joint}{field.name}"
        if field.name not in tree:
            raise UserError(f"{name}: missing; params.yaml in the repository shows a value for it")
        values[field.name] = _value(hints[field.name], tree[field.name], name)
    return section(**values)


def _value(kind: Any, value: Any, name: str) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        return build(kind, value, name)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise UserError(f"{name}: expected one of {', '.join(get_args(kind))}, found {value!r}")
        return value
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], value, name)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{name}: expected {kind.__name__}, found {value!r}")
    if kind in (int, float):
        _check_range(value, name)
    return value


def _list(kind: Any, value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        raise UserError(f"{name}: expected a list of {'names' if kind is str else 'whole numbers'}, found {value!r}")
    if not value and not name.endswith(_MAY_BE_EMPTY):
        raise UserError(f"{name}: expected at least one {'name' if kind is str else 'number'}")
    if kind is int:
        for item in value:
            if item <= 0:
                raise UserError(f"{name}: {item} must be above 0")
    return taxonomy.require(tuple(value)) if name.endswith("classes") else tuple(value)


_MAY_BE_EMPTY = ("soundfonts.valid", "sources.train", "sources.test")

_MAX_SEED = 2**32 - 1

# Ranges by the last word of a key; every other number must not be negative.
_POSITIVE = (
    "seconds",
    "window",
    "hop",
    "mels",
    "epochs",
    "batch_size",
    "learning_rate",
    "max_hz",
    "floor_db",
    "width",
    "patience",
    "bootstrap_rounds",
)


def _check_range(value: float, name: str) -> None:
    key = name.replace(": ", ".").rsplit(".", 1)[-1]
    if not math.isfinite(value):
        raise UserError(f"{name}: {value} is not a finite number")
    if key == "sample_rate" and not 8000 <= value <= 96000:
        raise UserError(f"{name}: {value} is outside 8000..96000, what FluidSynth renders")
    if key == "seed" and value > _MAX_SEED:
        raise UserError(f"{name}: {value} is above {_MAX_SEED}, the largest that Keras takes")
    if key.endswith(("_probability", "_share")) or key in ("label_smoothing", "momentum"):
        if not 0 <= value <= 1:
            raise UserError(f"{name}: {value} is outside 0..1")
        if key.endswith("hop_share") and not value:
            raise UserError(f"{name}: must be above 0, or clips would never come to an end")
    elif key in _POSITIVE:
        if not value > 0:
            raise UserError(f"{name}: {value} must be above 0")
    elif not key.endswith(("_db", "_dbfs")) and value < 0:
        raise UserError(f"{name}: {value} must not be negative")
