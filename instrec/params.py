"""The parameters of the pipeline, typed and checked: frozen dataclasses, one per section of `params.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from instrec.errors import conflict
from instrec.params_schema import (
    Architecture,
    Classes,
    Count,
    Finite,
    Flag,
    HopShare,
    MixtureCounts,
    Names,
    NonNegative,
    Part,
    Positive,
    PositiveCount,
    SampleRate,
    Section,
    Seed,
    Share,
    Sizes,
    SomeNames,
    build,
)
from instrec.util import documents

_ABOVE_A_FLOOR = ("shorten_probability", "noise_floor_probability", "color_db")
AUDIOSET = ("audioset_mel", 60.0)  # name and floor_db of the spectrogram that networks with weights of AudioSet know


@dataclass(frozen=True)
class ClipParams(Section):
    sample_rate: SampleRate
    seconds: Positive

    @property
    def samples(self) -> int:
        return round(self.sample_rate * self.seconds)


@dataclass(frozen=True)
class SourcesParams(Section):
    recordings: str
    midi: str
    corpora: str
    train: Names
    test: Names


@dataclass(frozen=True)
class SoundFontParams(Section):
    folders: SomeNames
    train: SomeNames
    valid: Names
    unseen: str
    mixed: Flag

    def __post_init__(self) -> None:
        if self.unseen in (*self.train, *self.valid):
            raise conflict("soundfonts.unseen", f"{self.unseen} is used in training; name another")

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.train, *self.valid, self.unseen)))


@dataclass(frozen=True)
class SelectionParams(Section):
    start: Literal["hop", "onset"]
    hop_share: HopShare
    test_hop_share: HopShare
    silence_dbfs: Finite


@dataclass(frozen=True)
class BalanceParams(Section):
    fill_up: Flag
    train_per_class: Count
    train_mixtures: Count
    valid_per_class: Count
    valid_mixtures: Count
    mixture_counts: MixtureCounts
    ensemble_share: Share
    others_share: Share
    composed_per_class: Count
    composed_mixtures: Count
    noisy_share: Share
    noisy_copies: Flag
    valid_share: Share
    test_share: Share


@dataclass(frozen=True)
class ScoreParams(Section):
    style: Literal["idiomatic", "ensemble", "uniform", "notes"]


@dataclass(frozen=True)
class SynthParams(Section):
    engine: Literal["fluidsynth", "note_bank"]
    reverb_probability: Share
    chorus_probability: Share
    detune_cents: NonNegative
    zone_shift: Count
    relative_probability: Share
    plucked_probability: Share
    tuned_probability: Share
    brightness_cents: NonNegative
    envelope_timecents: NonNegative
    preroll_seconds: NonNegative


@dataclass(frozen=True)
class NoiseParams(Section):
    waver_probability: Share  # these, in the order in which sound meets them: `noise.draw` goes by it
    breath_probability: Share
    reverb_probability: Share
    equalizer_probability: Share
    background_probability: Share
    band_limit_probability: Share
    distortion_probability: Share
    compression_probability: Share
    codec_probability: Share
    sethi_probability: Share
    min_snr_db: Finite
    max_snr_db: Finite


@dataclass(frozen=True)
class SpectrogramParams(Section):
    name: Literal["log_mel", "multi_resolution", "image", "phase_image", "audioset_mel", "waveform"]
    part: Part
    scale: Literal["decibels", "log"]
    window: PositiveCount
    hop: PositiveCount
    mels: PositiveCount
    min_hz: NonNegative
    max_hz: Positive
    floor_db: Positive
    frames: Count
    pixels: Count


@dataclass(frozen=True)
class ModelParams(Section):
    name: Architecture
    variant: str  # those of an architecture are in its own file, and checked when it is built
    width: PositiveCount
    blocks: Count
    dense: Sizes
    dropout: Share
    weights: Literal["none", "imagenet", "audioset"]
    weights_folder: str
    frozen: Flag


@dataclass(frozen=True)
class TrainParams(Section):
    start: str
    start_share: Share
    teacher_weight: NonNegative
    epochs: PositiveCount
    regenerate_every: Count
    patience: PositiveCount
    batch_size: PositiveCount
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"]
    optimizer: Literal["adamw", "adam", "sgd"]
    momentum: Share
    nesterov: Flag
    learning_rate: Positive
    schedule: Literal["cosine", "constant", "exponential", "inverse"]
    decay: NonNegative
    final_rate_share: Share
    average_share: Share
    monitor: Literal["loss", "presence_f1", "count_accuracy"]
    min_delta: NonNegative
    weight_decay: NonNegative
    label_smoothing: Share
    class_weights: Literal["none", "balanced"]
    mix_probability: Share
    shorten_probability: Share
    noise_floor_probability: Share
    roll_seconds: NonNegative
    mask_mels: Count
    color_db: Finite


@dataclass(frozen=True)
class EvaluateParams(Section):
    bootstrap_rounds: PositiveCount


@dataclass(frozen=True)
class TrackingParams(Section):
    mlflow: Flag


@dataclass(frozen=True)
class Params(Section):
    seed: Seed
    workers: Count
    cluster: str
    task: Literal["count_presence", "multilabel", "solo"]
    classes: Classes
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

    def __post_init__(self) -> None:  # what no section can tell alone
        name, train, mixtures = self.spectrogram.name, self.train, self.task != "solo"
        decibels = name not in ("phase_image", "waveform") and self.spectrogram.scale == "decibels"
        for section, key, allowed, why in (
            *(("train", key, decibels, "only decibels have a floor") for key in _ABOVE_A_FLOOR),
            *(("train", key, name != "waveform", "a waveform has none") for key in ("roll_seconds", "mask_mels")),
            ("train", "mix_probability", decibels and mixtures, "only decibels can be mixed, and task solo has none"),
            ("train", "start_share", train.start not in ("none", "prior"), "train.start names no model"),
            ("balance", "noisy_share", not self.balance.noisy_copies, "balance.noisy_copies makes clips noisy, too"),
            ("train", "teacher_weight", self.task == "count_presence", "only task count_presence has a teacher"),
            *(("balance", f"{part}_mixtures", mixtures, "task solo knows none") for part in ("train", "valid")),
        ):
            if (value := getattr(getattr(self, section), key)) and not allowed:
                raise conflict(f"{section}.{key}", f"{value}, but {why}; set it to 0")
        if self.model.weights == "audioset" and (name, self.spectrogram.floor_db) != AUDIOSET:
            raise conflict("model.weights", f"audioset, but not spectrogram.name and floor_db {AUDIOSET}; set them so")
        for key, share in (("hop_share", self.selection.hop_share), ("test_hop_share", self.selection.test_hop_share)):
            if share * self.clip.seconds < 0.01:  # a clip's id gives its onset in hundredths of a second
                raise conflict(f"selection.{key}", f"{share:g} of a clip is under 0.01 s; raise it")
        if 0 < (bins := getattr(self.spectrogram, key := "pixels" if "image" in name else "mels")) < train.mask_mels:
            raise conflict("train.mask_mels", f"{train.mask_mels} is above spectrogram.{key}, {bins}; lower it")
        if train.monitor == "count_accuracy" and self.task != "count_presence":
            raise conflict("train.monitor", f"count_accuracy, but {self.task} does not count; set loss or presence_f1")


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check every parameter.

    Raises
    ------
    UserError
        If the file is missing or not YAML, or if a `section.key` is unknown, missing or out of range.
    """
    return build(Params, documents.load_yaml(path, remedy=f"restore it: git checkout {path}"), str(path), joint=": ")
