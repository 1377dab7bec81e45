"""From a manifest row to sound: cut or compose, render, make noisy, level."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from instrec import scores
from instrec.audio import decoding, windowing
from instrec.audio.windowing import PEAK
from instrec.corpus import test_sets
from instrec.corpus.manifest import NOISY, RECORDING, Clip
from instrec.errors import UserError
from instrec.params import Params
from instrec.scores import midi
from instrec.synthesis import noise, variation
from instrec.synthesis.fluidsynth import SILENCE, Synth
from instrec.synthesis.soundfonts import catalog
from instrec.util import documents, hdf5, parallel, seeding
from instrec.util.progress import tqdm

if TYPE_CHECKING:
    import pretty_midi

# A worker keeps SoundFonts in memory, so that none is loaded twice: MuseScore_General_Full.sf3 takes ten seconds. All
# workers may fill half of the memory; the rest is for what they render and for a training beside them. Each may have a
# GiB, whatever the machine has: those of params.yaml take 0.7.
_LEAST_BYTES = 1 << 30
_DECODED = 6  # times its file's size a compressed SoundFont takes in memory, as measured with that one
_IDLE_CLIPS = 1000  # one that so many clips have not used is not among those that take turns

_Font = tuple[str, tuple[str, ...], int]  # name, folders to look in, sample rate


@dataclass(frozen=True)
class Renderer:
    """Renders clips; goes to worker processes whole, where each SoundFont is loaded once."""

    params: Params
    data: Path

    def __call__(self, clip: Clip) -> npt.NDArray[np.int16]:
        """Render one clip: 16-bit mono, shape (clip.samples,)."""
        y = self._recorded(clip) if clip.source == RECORDING else self._rendered(clip)
        if clip.noise == NOISY:
            y = noise.apply(y, self._noise(clip), self.params.clip.sample_rate)
        peak = float(np.abs(y).max(initial=0.0))
        if peak > 0:
            y = y * np.float32(PEAK / peak)
        return np.round(y * 32767).astype(np.int16)

    def _recorded(self, clip: Clip) -> npt.NDArray[np.float32]:
        settings = self.params.clip
        y = decoding.load(Path(clip.path), settings.sample_rate, onset=clip.onset, seconds=settings.seconds)
        return np.pad(y, (0, settings.samples - len(y)))

    def _rendered(self, clip: Clip) -> npt.NDArray[np.float32]:
        settings = self.params.clip
        font = (clip.soundfont, self.params.soundfonts.folders, settings.sample_rate)
        instrument = _SYNTHS.synth(font, soundfont_bytes(self.params.workers))
        if self._is_frozen(clip) and Path(clip.path).parent.name == test_sets.EXCERPT:
            y = _excerpt(clip.path, settings.seconds, instrument)
            start = round(clip.onset * settings.sample_rate)
        elif clip.path and not self._is_frozen(clip):
            score = midi.cut(midi.load(Path(clip.path)), clip.onset, settings.seconds)
            drawn = self._drawn(self._rng(clip), score, settings.seconds)
            y, start = instrument.render(score, settings.seconds, replace(drawn, preroll_seconds=0.0)), 0
        else:
            searched = self._searched_seconds(clip)
            score, drawn = self._performance(clip, searched + settings.seconds)
            if searched:
                drawn = replace(drawn, preroll_seconds=0.0)
            y = instrument.render(score, searched + settings.seconds, drawn)
            start = self._start(score, y[: round(searched * settings.sample_rate)]) if searched else 0
        return y[start : start + settings.samples]

    def _performance(self, clip: Clip, seconds: float) -> tuple[pretty_midi.PrettyMIDI, variation.Performance]:
        """Read or compose a score, and say how it is played: plainly where it tests."""
        if self._is_frozen(clip):
            return midi.load(Path(clip.path)), variation.PLAIN
        compose, labels, rng = scores.STYLES[self.params.scores.style], tuple(sorted(clip.labels)), self._rng(clip)
        if clip.split in test_sets.COMPOSED:
            return compose(rng, labels, seconds), variation.PLAIN
        score = compose(rng, labels, seconds + self.params.synth.preroll_seconds)
        return score, self._drawn(rng, score, seconds)

    def _drawn(self, rng: np.random.Generator, score: pretty_midi.PrettyMIDI, seconds: float) -> variation.Performance:
        return variation.draw(rng, self.params.synth, score, classes=self.params.classes, seconds=seconds)

    def _searched_seconds(self, clip: Clip) -> float:
        """Say in how much of a score the clip's start is looked for; 0 where it is that of the score."""
        too_long = self._is_frozen(clip) and self.params.clip.seconds < test_sets.SECONDS
        return test_sets.SECONDS if too_long or self.params.selection.start == "onset" else 0.0

    def _start(self, score: pretty_midi.PrettyMIDI, y: npt.NDArray[np.float32]) -> int:
        """Find the sample where the clip starts: the first place that has all instruments, or most of them.

        Candidates are the steepest rise of power, where `selection.start` is `onset`, then what is not silent, a hop
        apart; the score being leveled, as clips are.
        """
        settings, chosen = self.params.clip, self.params.selection
        y = y * (PEAK / max(float(np.abs(y).max()), SILENCE))
        hops = windowing.windows([y], settings.samples, windowing.hop_samples(settings, chosen.hop_share))
        places = [start for start, window in hops if not windowing.is_silent(window, chosen.silence_dbfs)]
        if chosen.start == "onset":
            places.insert(0, windowing.steepest_rise([y], settings.sample_rate))

        def heard(start: int) -> int:
            return len(midi.cut(score, start / settings.sample_rate, settings.seconds).instruments)

        return max(places, key=heard, default=0)

    def _noise(self, clip: Clip) -> noise.Noise:
        if self._is_frozen(clip):
            file, name = self.data / test_sets.NOISE_FILE, Path(clip.path).relative_to(self.data).as_posix()
            if name not in _frozen_noise(file):
                raise UserError("noise-missing", file, f"has no noise for {name}; bring both: dvc pull data.dvc")
            return _frozen_noise(file)[name]
        settings = self.params
        return noise.draw(self._rng(clip, "noise"), settings.noise, settings.clip.sample_rate, alone=not clip.labels)

    def _rng(self, clip: Clip, *names: str) -> np.random.Generator:
        """The draws of a clip are its id's; those of a composed test its group's, which clean and noisy clips share."""
        return seeding.generator(clip.seed, clip.group if clip.split in test_sets.COMPOSED else clip.id, *names)

    def _is_frozen(self, clip: Clip) -> bool:
        return any(clip.split == test_set.name for test_set in test_sets.TEST_SETS)


@functools.lru_cache(maxsize=4)
def _excerpt(path: str, longer: float, instrument: Synth) -> npt.NDArray[np.float32]:
    """Render a whole excerpt, and `longer` seconds after it; its windows come one after another."""
    score = midi.load(Path(path))
    return instrument.render(score, score.get_end_time() + longer)


@dataclass(frozen=True)
class _Loaded:
    """A SoundFont in memory: about so many bytes, used last for that clip of this process."""

    synth: Synth
    size: int
    last: int


class SynthCache:
    """Keeps the SoundFonts that clips take turns with in memory, as far as they fit.

    Clips go through the SoundFonts in turn: where these do not fit, whichever was used longest ago is needed next. So
    the one used last makes room, unless another is not needed any more.
    """

    def __init__(self) -> None:
        self._loaded: dict[_Font, _Loaded] = {}  # the one used longest ago comes first
        self._clips = 0

    def synth(self, font: _Font, limit: int) -> Synth:
        """Return what plays a SoundFont; all that are loaded take `limit` bytes at most, or are this one alone."""
        self._clips += 1
        loaded = self._loaded.pop(font, None) or self._load(font, limit)
        self._loaded[font] = replace(loaded, last=self._clips)
        return loaded.synth

    def _load(self, font: _Font, limit: int) -> _Loaded:
        name, folders, sample_rate = font
        path = catalog.find(name, folders)
        size = path.stat().st_size * (_DECODED if path.suffix.lower() == ".sf3" else 1)
        while self._loaded and size + sum(each.size for each in self._loaded.values()) > limit:
            first, *_ = self._loaded
            is_idle = self._clips - self._loaded[first].last > _IDLE_CLIPS
            (self._loaded.pop(first) if is_idle else self._loaded.popitem()[1]).synth.close()
        return _Loaded(Synth(path, sample_rate), size, self._clips)


_SYNTHS = SynthCache()


@functools.cache
def soundfont_bytes(workers: int) -> int:
    """Return how much memory each of so many worker processes, 0 for one per core, may fill with SoundFonts."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # a container's own limit, where there is one
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(_LEAST_BYTES, memory // 2 // (workers or len(os.sched_getaffinity(0))))


@functools.cache
def _frozen_noise(file: Path) -> dict[str, noise.Noise]:
    """The noise that belongs to each frozen score, by the score's path inside the folder."""
    remedy = "bring it: dvc pull data.dvc"
    try:
        specs = documents.load_json(file, remedy=remedy)
        return {name: noise.from_json(spec) for name, spec in specs.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("document-unreadable", file, f"cannot be read ({error}); {remedy}") from error


def write(path: Path, clips: list[Clip], renderer: Renderer) -> None:
    """Render the clips of a split into an HDF5 file, by all workers, with a progress bar.

    The columns of labels are `test_sets.label_columns` of the split.
    """
    settings = renderer.params
    classes = test_sets.label_columns(clips[0].split, settings.classes) if clips else settings.classes
    labels = np.array([[name in clip.labels for name in classes] for clip in clips], dtype=np.uint8)
    rendered = parallel.ordered_map(renderer, clips, workers=settings.workers, cluster=settings.cluster)
    with hdf5.create(
        path,
        name="audio",
        shape=(settings.clip.samples,),
        dtype=np.int16,
        ids=[clip.id for clip in clips],
        labels=labels,
        classes=classes,
        compression="none",  # gzip would take a third of this process's time, and save 30 % of a file that is read once
        sample_rate=settings.clip.sample_rate,
    ) as writer:
        for y in tqdm(rendered, total=len(clips), desc=path.stem, unit="clip"):
            writer.append(y[np.newaxis])
