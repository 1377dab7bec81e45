"""Recorded notes in files of their own, made into the notes of a SoundFont."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import soundfile

from instrec.errors import UserError
from instrec.synthesis.soundfonts.sf2_writer import ALL_VELOCITIES, Note

LONGEST_SECONDS = 8.0  # of a note; clips are shorter
PEAK = 16384  # half of full scale: the loudest note of a layer of velocities


@dataclass(frozen=True)
class Region:
    """A file and what plays it.

    Attributes
    ----------
    key : the MIDI pitch at which it was recorded, with fractions.
    keys, velocities : lowest and highest of those that play it.
    loop : first and past-the-last sample of what repeats.
    """

    file: Path
    key: float
    keys: tuple[int, int]
    velocities: tuple[int, int] = ALL_VELOCITIES
    gain_db: float = 0.0
    loop: tuple[int, int] | None = None

    def transposed(self, semitones: int) -> Region:
        """Return the region on other keys, sounding as much higher."""
        low, high = self.keys
        return replace(self, key=self.key + semitones, keys=(low + semitones, high + semitones))


def key_of(text: str) -> float:
    """Return the MIDI pitch of a number or of a note's name: middle C is 60, `c4` or `C4`; `cs4` is `c#4`.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"[a-gA-G][#sb]?-?\d", text):
        raise ValueError(f"{text!r} is no note")
    return float(librosa.note_to_midi(text[0].upper() + text[1:].replace("s", "#")))


def named(folder: Path, pattern: str) -> list[Region]:
    """Return the files of a folder whose names contain their note.

    Parameters
    ----------
    pattern : a regular expression for the path within the folder; its group `note` is the note.
    """
    found = [
        (file, match)
        for file in sorted(folder.rglob("*"))
        if (match := re.fullmatch(pattern, file.relative_to(folder).as_posix()))
    ]
    keys = {file: key_of(match["note"]) for file, match in found}
    steps = sorted(set(keys.values()))
    # A note plays the keys up to half-way to its neighbors.
    highest = {low: int((low + high) // 2) for low, high in zip(steps, [*steps[1:], 127], strict=True)}
    return [Region(file, key, (round(key), max(round(key), highest[key]))) for file, key in keys.items()]


def notes(regions: Iterable[Region], *, release_seconds: float) -> list[Note]:
    """Read the files as notes for all keys at all velocities.

    If several takes cover the same keys, neighboring keys play different ones.

    Raises
    ------
    UserError
        If a file cannot be read, is empty, or lies.
    """
    layers = _layers(regions)
    tops = [*(high for _, high in layers[:-1]), 127]
    bottoms = [0, *(top + 1 for top in tops[:-1])]
    made = [
        (_waveform(region), region, keys, (low, high))
        for (layer, _), low, high in zip(layers, bottoms, tops, strict=True)
        for region, keys in _zones(layer)
    ]
    # Velocity alone decides how loud a layer is, as in other SoundFonts.
    loudest: dict[tuple[int, int], float] = defaultdict(float)
    for (waveform, _), _, _, velocities in made:
        loudest[velocities] = max(loudest[velocities], float(np.abs(waveform).max()))
    return [
        Note(
            np.round(waveform * PEAK / max(loudest[velocities], 1e-9)).astype(np.int16),
            rate,
            region.key,
            keys,
            region.loop if region.loop and region.loop[0] + 1 < region.loop[1] <= len(waveform) else None,
            release_seconds=release_seconds,
            velocities=velocities,
        )
        for (waveform, rate), region, keys, velocities in made
    ]


def _layers(regions: Iterable[Region]) -> list[tuple[list[Region], int]]:
    """Return the regions of each layer of velocities, and its highest one; layers that overlap are one."""
    layers: list[tuple[list[Region], int]] = []
    for region in sorted(regions, key=lambda each: each.velocities):
        low, high = region.velocities
        if layers and low <= layers[-1][1]:
            layers[-1][0].append(region)
            layers[-1] = (layers[-1][0], max(high, layers[-1][1]))
        else:
            layers.append(([region], high))
    return layers


def _zones(layer: list[Region]) -> Iterator[tuple[Region, tuple[int, int]]]:
    """Return one take for each stretch of keys, with no key left between them."""
    takes: dict[int, list[Region]] = defaultdict(list)
    for region in layer:
        takes[region.keys[1]].append(region)
    tops = sorted(takes)
    bottom = 0
    for number, top in enumerate(tops):
        highest = 127 if top == tops[-1] else top
        yield takes[top][number % len(takes[top])], (bottom, highest)
        bottom = top + 1


def _waveform(region: Region) -> tuple[npt.NDArray[np.float32], int]:
    """Return a file's mono waveform at the region's level, and its sample rate."""
    try:
        with soundfile.SoundFile(region.file) as file:
            samples = file.read(round(LONGEST_SECONDS * file.samplerate), dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError("file-unreadable", region.file, f"cannot be read: {error}; fetch the library again") from error
    if not len(samples) or not np.isfinite(samples).all():
        raise UserError("file-damaged", region.file, "no samples in it, or damaged; fetch the library again")
    return (samples.mean(axis=1) * 10 ** (region.gain_db / 20)).astype(np.float32), rate
