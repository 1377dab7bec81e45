"""The knobs of the pipeline, typed and checked: frozen dataclasses, one a section of `params.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from instrec import documents
from instrec.checking import build
from instrec.errors import UserError

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
    relative_probability: float
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
    waver_probability: float
    breath_probability: float
    compression_probability: float
    codec_probability: float
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
    name: Literal[
        "compact_resnet",
        "segal_convnet",
        "segal_leaky",
        "lenet_5x5",
        "lenet_3x8",
        "lstm_64",
        "lstm_128",
        "lstm_128_128",
        "lstm_128_64",
        "inception_resnet_v2",
        "alexnet",
        "vgg19",
        "googlenet",
        "han_baseline",
        "han_leaky",
        "han_two_branch",
        "han_multi_resolution",
    ]
    width: int
    blocks: int
    dense: tuple[int, ...]
    weights: Literal["none", "imagenet"]
    frozen: bool


@dataclass(frozen=True)
class TrainParams:
    start: str
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
    final_rate_share: float
    average_share: float
    monitor: Literal["loss", "presence_f1", "count_accuracy"]
    min_delta: float
    weight_decay: float
    label_smoothing: float
    mix_probability: float
    shorten_probability: float
    noise_floor_probability: float
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
    cluster: str
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
            ("train.shorten_probability", self.train.shorten_probability, decibels, "only decibels have a silence"),
            (
                "train.noise_floor_probability",
                self.train.noise_floor_probability,
                decibels,
                "only decibels have a floor",
            ),
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
    return build(Params, documents.load_yaml(path), str(path), joint=": ")
