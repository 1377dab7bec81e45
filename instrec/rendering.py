"""From a manifest row to sound: cut or compose, render, make noisy, level."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from instrec import noise, parallel, performance, scores, seeding, store, yardstick
from instrec.errors import UserError
from instrec.manifest import NOISY, RECORDING, Clip
from instrec.params import Params
from instrec.sources import audio, midi, soundfonts
from instrec.synth import Synth

PEAK = 0.89  # -1 dBFS; every clip is brought there, so that 16 bits hold the quiet ones as well


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
        y = audio.load(Path(clip.path), settings.sample_rate, onset=clip.onset, seconds=settings.seconds)
        return np.pad(y, (0, settings.samples - len(y)))

    def _rendered(self, clip: Clip) -> npt.NDArray[np.float32]:
        seconds = self.params.clip.seconds
        instrument = _synth(clip.soundfont, self.params.soundfonts.folders, self.params.clip.sample_rate)
        if self._is_frozen(clip):
            return instrument.render(midi.load(Path(clip.path)), seconds)
        rng = seeding.generator(clip.seed, clip.id)
        if clip.path:
            score = midi.cut(midi.load(Path(clip.path)), clip.onset, seconds)
            drawn = replace(performance.draw(rng, self.params.synth, score, seconds=seconds), preroll_seconds=0.0)
        else:
            compose = scores.STYLES[self.params.scores.style]
            score = compose(rng, tuple(sorted(clip.labels)), seconds + self.params.synth.preroll_seconds)
            drawn = performance.draw(rng, self.params.synth, score, seconds=seconds)
        return instrument.render(score, seconds, drawn)

    def _noise(self, clip: Clip) -> noise.Noise:
        if self._is_frozen(clip):
            file, name = self.data / yardstick.NOISE_FILE, Path(clip.path).relative_to(self.data).as_posix()
            if name not in _frozen_noise(file):
                raise UserError(f"{file}: has no noise for {name}; bring both: dvc pull data.dvc")
            return _frozen_noise(file)[name]
        return noise.draw(
            seeding.generator(clip.seed, clip.id, "noise"), self.params.noise, self.params.clip.sample_rate
        )

    def _is_frozen(self, clip: Clip) -> bool:
        return any(clip.split == test_set.name for test_set in yardstick.TEST_SETS)


@functools.lru_cache(maxsize=8)
def _synth(name: str, folders: tuple[str, ...], sample_rate: int) -> Synth:
    return Synth(soundfonts.find(name, folders), sample_rate)


@functools.cache
def _frozen_noise(file: Path) -> dict[str, noise.Noise]:
    """The noise that belongs to each frozen score, by the score's path inside the folder."""
    try:
        return {name: noise.from_json(spec) for name, spec in json.loads(file.read_text()).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: cannot be read ({error}); bring it: dvc pull data.dvc") from error


def write(path: Path, clips: list[Clip], renderer: Renderer) -> None:
    """Render clips into an HDF5 file, in all worker processes, with a progress bar."""
    settings = renderer.params
    labels = np.array([[name in clip.labels for name in settings.classes] for clip in clips], dtype=np.uint8)
    rendered = parallel.ordered_map(renderer, clips, workers=settings.workers)
    with store.create(
        path,
        name="audio",
        shape=(settings.clip.samples,),
        dtype=np.int16,
        ids=[clip.id for clip in clips],
        labels=labels,
        classes=settings.classes,
        compression="none",  # gzip would take a third of this process's time, and save 30 % of a file that is read once
        sample_rate=settings.clip.sample_rate,
    ) as writer:
        for y in tqdm(rendered, total=len(clips), desc=path.stem, unit="clip"):
            writer.append(y[np.newaxis])
