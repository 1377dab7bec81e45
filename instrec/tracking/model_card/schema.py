"""The types of the facts of a released model, as far as its card shows them."""

from typing import Annotated, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

_Interval = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Metrics(TypedDict):
    """Metrics by name, each with its interval; protocols of excerpts stand among them."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    intervals: dict[str, _Interval]


def _with_numbers(part: _Metrics) -> _Metrics:
    for name in part["intervals"]:
        if not isinstance(part.get(name), int | float):
            raise ValueError(f"{name} is no number")
    return part


_Part = Annotated[_Metrics, AfterValidator(_with_numbers)]


class _Model(TypedDict):
    md5: str
    bytes: int
    weights: int
    network: str


class _Clip(TypedDict):
    sample_rate: int
    seconds: float


class _Spectrogram(TypedDict):
    name: str
    mels: int


class _Balance(TypedDict):
    mixture_counts: NotRequired[list[int]]
    others_share: NotRequired[float]


class _SoundFonts(TypedDict):
    unseen: str


class _Train(TypedDict):
    start: str
    start_share: NotRequired[float]
    regenerate_every: int
    average_share: float


class _Params(TypedDict):
    """What the card shows of params.yaml; an older release has other keys than today's."""

    task: str
    clip: _Clip
    spectrogram: _Spectrogram
    soundfonts: _SoundFonts
    balance: _Balance
    train: _Train


class _Clips(TypedDict):
    clips: int
    noisy: int
    recordings: int
    soundfonts: dict[str, int]


class _Splits(TypedDict):
    train: _Clips
    valid: _Clips


class _Class(TypedDict):
    files: int
    precision: float
    recall: float
    f1: float


class _Recordings(_Metrics):
    name: str
    of: str
    files: int
    groups: NotRequired[int]
    per_class: dict[str, _Class]


class _Facts(TypedDict):
    name: NotRequired[str]
    date: str
    model: _Model
    classes: dict[str, float]
    params: _Params
    clips: _Splits
    epochs: int
    scores: dict[str, dict[str, _Part]]
    recordings: list[Annotated[_Recordings, AfterValidator(_with_numbers)]]


SCHEMA = TypeAdapter(_Facts)
