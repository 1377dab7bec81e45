"""The knobs of the pipeline, typed and checked: frozen dataclasses, one a section of `params.yaml`."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from instrec import taxonomy
from instrec.errors import UserError

Section = TypeVar("Section")


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
class BalanceParams:
    train_per_class: int
    train_mixtures: int
    valid_per_class: int
    valid_mixtures: int
    noisy_share: float
    silence_dbfs: float
    valid_share: float
    test_share: float


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
    window: int
    hop: int
    mels: int
    min_hz: float
    max_hz: float
    floor_db: float


@dataclass(frozen=True)
class ModelParams:
    name: str
    width: int
    blocks: int


@dataclass(frozen=True)
class TrainParams:
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
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
    classes: tuple[str, ...]
    clip: ClipParams
    sources: SourcesParams
    soundfonts: SoundFontParams
    balance: BalanceParams
    synth: SynthParams
    noise: NoiseParams
    spectrogram: SpectrogramParams
    model: ModelParams
    train: TrainParams
    evaluate: EvaluateParams
    tracking: TrackingParams


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
    if kind == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UserError(f"{name}: expected a list of names, found {value!r}")
        if not value and not name.endswith("soundfonts.valid"):
            raise UserError(f"{name}: expected at least one name")
        return taxonomy.require(tuple(value)) if name.endswith("classes") else tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{name}: expected {kind.__name__}, found {value!r}")
    if kind in (int, float):
        _check_range(value, name)
    return value


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
    key = name.rsplit(".", 1)[-1]
    if not math.isfinite(value):
        raise UserError(f"{name}: {value} is not a finite number")
    if key == "sample_rate" and not 8000 <= value <= 96000:
        raise UserError(f"{name}: {value} is outside 8000..96000, what FluidSynth renders")
    if key.endswith(("_probability", "_share")) or key == "label_smoothing":
        if not 0 <= value <= 1:
            raise UserError(f"{name}: {value} is outside 0..1")
    elif key in _POSITIVE:
        if not value > 0:
            raise UserError(f"{name}: {value} must be above 0")
    elif not key.endswith(("_db", "_dbfs")) and value < 0:
        raise UserError(f"{name}: {value} must not be negative")
