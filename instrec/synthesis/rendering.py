"""From a manifest row to sound: cut or compose, render, make noisy, level."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from instrec import scores
from instrec.audio import decoding, separation, windowing
from instrec.audio.windowing import PEAK
from instrec.corpus import manifest, test_sets
from instrec.corpus.manifest import NOISY, RECORDING, Clip
from instrec.errors import UserError
from instrec.params import Params
from instrec.params_schema import Part
from instrec.scores import midi
from instrec.synthesis import mixing, noise, variation
from instrec.synthesis.fluidsynth import SILENCE, Synth
from instrec.synthesis.soundfonts import cache
from instrec.util import documents, seeding

if TYPE_CHECKING:
    import pretty_midi

    from instrec.synthesis.note_bank import NoteBank

Signal = npt.NDArray[np.float32]
Cut = tuple[Signal, int]  # sound, and the sample where the clip starts
_QUIETEST_DB = -12.0  # of a track among those of a mix; the loudest possible has 0 dB
_NOTE_DRAWS = 10  # a SoundFont that lacks so many in a row hardly plays the instrument
Draw = Callable[[np.random.Generator, "pretty_midi.PrettyMIDI", float], variation.Performance]


@dataclass(frozen=True)
class Renderer:
    """Renders clips. Worker processes get a copy, and load each SoundFont once."""

    params: Params
    data: Path

    def __call__(self, clip: Clip) -> npt.NDArray[np.int16]:
        """Render one clip: 16 bits, shape (clip.samples,), or (clip.samples, 2) of a pair of parts of a file."""
        kind, rate = kind_of(clip), self.params.clip.sample_rate
        y, start = kind.sound(self, clip)
        if not self._part:
            y = self._stretch(y, start)
        if clip.noise == NOISY:
            y = noise.apply(y, kind.noise(self, clip), rate)
        if self._part:
            y = self._stretch(_separated(y.tobytes(), rate, self._part), start)
        peak = max(float(np.abs(each).max(initial=0.0)) for each in (y, separation.whole(y)))
        if peak > 0:
            y = y * np.float32(PEAK / peak)
        return np.round(y * 32767).astype(np.int16)

    def _stretch(self, y: Signal, start: int) -> Signal:
        """Return as many samples as a clip has, with silence after the end."""
        y = y[start : start + self.params.clip.samples]
        return np.concatenate([y, np.zeros((self.params.clip.samples - len(y), *y.shape[1:]), y.dtype)])

    @property
    def _part(self) -> Part | None:
        """The part of files, or pair, that clips are cut from; None if they are cut from the sound itself."""
        return separation.OF_FILE.get(self.params.spectrogram.part)

    def recorded(self, clip: Clip) -> Cut:
        """Decode a stretch of a recording; if files are separated, the blocks that it lies in."""
        settings = self.params.clip
        onset, seconds = clip.onset, settings.seconds
        if self._part:
            onset = clip.onset // separation.BLOCK_SECONDS * separation.BLOCK_SECONDS
            seconds = math.ceil((clip.onset + seconds - onset) / separation.BLOCK_SECONDS) * separation.BLOCK_SECONDS
        y = decoding.load(Path(clip.path), settings.sample_rate, onset=onset, seconds=seconds)
        return y, round((clip.onset - onset) * settings.sample_rate)

    def cut(self, clip: Clip) -> Cut:
        """Play a stretch of a MIDI file of the user; if files are separated, with some seconds around it."""
        before, after = (min(clip.onset, test_sets.SECONDS), test_sets.SECONDS) if self._part else (0.0, 0.0)
        seconds = before + self.params.clip.seconds + after
        score = midi.cut(midi.load(Path(clip.path)), clip.onset - before, seconds)
        drawn = self._drawn(self._rng(clip), score, seconds)
        y = self._instrument(clip).render(score, seconds, replace(drawn, preroll_seconds=0.0))
        return y, round(before * self.params.clip.sample_rate)

    def excerpt(self, clip: Clip) -> Cut:
        """Play a frozen excerpt, for one of its windows."""
        settings = self.params.clip
        start = round(clip.onset * settings.sample_rate)
        return _excerpt(clip.path, settings.seconds, self._instrument(clip)), start

    def frozen(self, clip: Clip) -> Cut:
        """Play a frozen solo or mixture plainly."""
        searched = test_sets.SECONDS if self.params.clip.seconds < test_sets.SECONDS else self._searched_seconds
        return self._played(clip, midi.load(Path(clip.path)), variation.PLAIN, searched)

    def composed_test(self, clip: Clip) -> Cut:
        """Compose and play a test score plainly."""
        return self._composed(clip, lambda rng, score, seconds: variation.PLAIN, 0.0)

    def composed(self, clip: Clip) -> Cut:
        """Compose and play a score with all variation."""
        return self._composed(clip, self._drawn, self.params.synth.preroll_seconds)

    def frozen_noise(self, clip: Clip) -> noise.Noise:
        """Look up the noise of a frozen score."""
        file, name = self.data / test_sets.NOISE_FILE, Path(clip.path).relative_to(self.data).as_posix()
        if name not in _frozen_noise(file):
            raise UserError("noise-missing", file, f"has no noise for {name}; bring both: dvc pull data.dvc")
        return _frozen_noise(file)[name]

    def drawn_noise(self, clip: Clip) -> noise.Noise:
        """Draw noise from the clip's seed."""
        rate = self.params.clip.sample_rate
        return noise.draw(self._rng(clip, "noise"), self.params.noise, rate, alone=not clip.labels)

    def _rendered(
        self, clip: Clip, score: pretty_midi.PrettyMIDI, seconds: float, performance: variation.Performance
    ) -> Signal:
        """Render a score; if the clip has several SoundFonts, each renders the track of one class.

        SoundFonts differ in loudness by more than the players of a mix do, so each track gets a level of its own draw.
        """
        fonts = clip.soundfont.split(manifest.FONTS)
        if len(fonts) == 1:
            return self._instrument(clip).render(score, seconds, performance)
        of, sounds = dict(zip(clip.labels, fonts, strict=True)), []
        for number, track in enumerate(score.instruments):
            part = copy.copy(score)
            part.instruments = [track]
            voices = performance.voices[number : number + 1]
            instrument = self._instrument(replace(clip, soundfont=of[track.name]))
            sounds.append(instrument.render(part, seconds, replace(performance, voices=voices)))
        levels_db = self._rng(clip, "levels").uniform(_QUIETEST_DB, 0, size=len(fonts))
        return mixing.mix(sounds, levels_db, self.params.clip.sample_rate)

    def _instrument(self, clip: Clip) -> Synth | NoteBank:
        """Return what plays a clip: a note bank only if it is for training, as all metrics are compared."""
        font = (clip.soundfont, self.params.soundfonts.folders, self.params.clip.sample_rate)
        is_bank = self.params.synth.engine == "note_bank" and clip.split == "train"
        return (cache.SYNTHS.bank if is_bank else cache.SYNTHS.synth)(font, cache.soundfont_bytes(self.params.workers))

    def _rng(self, clip: Clip, *names: str) -> np.random.Generator:
        """Return the generator of a clip's id, or of what a clean and a noisy clip share.

        They share the group in a composed test, and the original's id where one is the other's twin.
        """
        own = clip.group if clip.split in test_sets.COMPOSED else clip.id.removesuffix(manifest.TWIN)
        return seeding.generator(clip.seed, own, *names)

    def _composed(self, clip: Clip, draw: Draw, preroll_seconds: float) -> Cut:
        """Compose and play a score.

        If it is one note and silent, as the SoundFont lacks its pitch, another is drawn.
        """
        seconds, rng = self._searched_seconds + self.params.clip.seconds, self._rng(clip)
        style, labels = self.params.scores.style, tuple(sorted(clip.labels))
        for _ in range(_NOTE_DRAWS if style == "notes" else 1):
            score = scores.STYLES[style](rng, labels, seconds + preroll_seconds)
            played = self._played(clip, score, draw(rng, score, seconds), self._searched_seconds)
            if self._stretch(*played).any() or not labels:
                break
        return played

    def _drawn(self, rng: np.random.Generator, score: pretty_midi.PrettyMIDI, seconds: float) -> variation.Performance:
        return variation.draw(rng, self.params.synth, score, classes=self.params.classes, seconds=seconds)

    @property
    def _searched_seconds(self) -> float:
        """Seconds of a score in which the start of the clip is searched; 0 if it starts with the score.

        A score that is separated is longer than a clip.
        """
        return test_sets.SECONDS if self.params.selection.start == "onset" or self._part else 0.0

    def _played(
        self, clip: Clip, score: pretty_midi.PrettyMIDI, performance: variation.Performance, searched: float
    ) -> Cut:
        settings = self.params.clip
        if searched:
            performance = replace(performance, preroll_seconds=0.0)
        y = self._rendered(clip, score, searched + settings.seconds, performance)
        return y, self._start(score, y[: round(searched * settings.sample_rate)]) if searched else 0

    def _start(self, score: pretty_midi.PrettyMIDI, y: Signal) -> int:
        """Find the sample where the clip starts: the first candidate with the most instruments.

        If `selection.start` is `onset`, the first candidate is the steepest rise of power. The others are windows a hop
        apart that are not silent, at the level of clips.
        """
        settings, chosen = self.params.clip, self.params.selection
        y = y * (PEAK / max(float(np.abs(y).max()), SILENCE))
        hops = windowing.windows([y], settings.samples, windowing.hop_samples(settings, chosen.hop_share))
        places = [start for start, window in hops if not windowing.is_silent(window, chosen.silence_dbfs)]
        if chosen.start == "onset":
            places.insert(0, windowing.steepest_rise([y], settings.sample_rate))

        def instruments_from(start: int) -> int:
            return len(midi.cut(score, start / settings.sample_rate, settings.seconds).instruments)

        return max(places, key=instruments_from, default=0)


@dataclass(frozen=True)
class Kind:
    """How clips of one kind are made, and what noise they get."""

    sound: Callable[[Renderer, Clip], Cut]
    noise: Callable[[Renderer, Clip], noise.Noise] = Renderer.drawn_noise


KINDS = {
    "recorded": Kind(Renderer.recorded),
    "cut": Kind(Renderer.cut),
    "excerpt": Kind(Renderer.excerpt, Renderer.frozen_noise),
    "frozen": Kind(Renderer.frozen, Renderer.frozen_noise),
    "composed_test": Kind(Renderer.composed_test),
    "composed": Kind(Renderer.composed),
}


def kind_of(clip: Clip) -> Kind:
    """Return the kind of a clip, by its source, split and path."""
    if clip.source == RECORDING:
        return KINDS["recorded"]
    if any(clip.split == test_set.name for test_set in test_sets.TEST_SETS):
        return KINDS["excerpt" if Path(clip.path).parent.name == test_sets.EXCERPT else "frozen"]
    if clip.path:
        return KINDS["cut"]
    return KINDS["composed_test" if clip.split in test_sets.COMPOSED else "composed"]


@functools.lru_cache(maxsize=2)
def _separated(samples: bytes, sample_rate: int, part: Part) -> Signal:
    """Separate a sound; its windows come one after another."""
    return separation.of_file(np.frombuffer(samples, np.float32), sample_rate, part)


@functools.lru_cache(maxsize=4)
def _excerpt(path: str, longer: float, instrument: Synth | NoteBank) -> Signal:
    """Render a whole excerpt, and `longer` seconds after it; its windows come one after another."""
    score = midi.load(Path(path))
    return instrument.render(score, score.get_end_time() + longer)


@functools.cache
def _frozen_noise(file: Path) -> dict[str, noise.Noise]:
    """Return the noise of each frozen score, by the score's path inside the folder."""
    remedy = "bring it: dvc pull data.dvc"
    with documents.expected(file, remedy):
        return {name: noise.checked(drawn) for name, drawn in documents.load_json(file, remedy=remedy).items()}
