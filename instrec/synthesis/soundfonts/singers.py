"""Singers: solo voices of Debian's speech synthesizers, which sing a syllable per key, made into a SoundFont.

General MIDI banks hold choirs only. Festival's diphone voices sing at any pitch and keep their formants; eSpeak NG's
formant voices speak on one pitch, which is measured. Consonants begin a note, and its vowel repeats while it is held.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import soundfile

from instrec.errors import UserError, one_line
from instrec.synthesis.soundfonts import sf2_writer
from instrec.synthesis.soundfonts.sf2_writer import Note, write
from instrec.util import seeding
from instrec.util.files import temporary_folder

NAME = "Singers.sf2"
VOICES = Path("/usr/share/festival/voices")

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Voice:
    """A voice of Festival: its package, folder, silence, and phones where they are not the letters a e i o u."""

    package: str
    folder: str
    silence: str = "#"
    vowels: tuple[str, ...] = ("a:", "e:", "i:", "o:", "u:")
    consonants: tuple[str, ...] = ("l", "n", "m", "d", "h", "t", "v", "j", "s", "b", "p")


_AMERICAN = ("pau", ("aa", "iy", "ao", "uw", "ah"), ("l", "n", "m", "d", "", "hh", "t", "w", "y", "s", "b"))
_ITALIAN = ("#", ("a1", "e1", "i1", "o1", "u1"), ("l", "n", "m", "d", "", "v", "t", "b", "r", "s", "p"))
_FESTIVAL = {
    "kal": _Voice("festvox-kallpc16k", "english/kal_diphone", *_AMERICAN),
    "ked": _Voice("festvox-kdlpc16k", "english/ked_diphone", *_AMERICAN),
    "lp": _Voice("festvox-italp16k", "italian/lp_diphone", *_ITALIAN),
    "pc": _Voice("festvox-itapc16k", "italian/pc_diphone", *_ITALIAN),
    "lj": _Voice("festvox-suopuhe-lj", "finnish/suo_fi_lj_diphone"),
    "mv": _Voice("festvox-suopuhe-mv", "finnish/hy_fi_mv_diphone"),
    "dita": _Voice("festvox-czech-dita", "czech/czech_dita"),
    "krb": _Voice("festvox-czech-krb", "czech/czech_krb"),
    "machac": _Voice("festvox-czech-machac", "czech/czech_machac"),
    "ph": _Voice("festvox-czech-ph", "czech/czech_ph"),
}
PACKAGES = ("festival", *(voice.package for voice in _FESTIVAL.values()), "espeak-ng")
INSTALL = f"sudo apt-get install {' '.join(PACKAGES)}"

# Program -> a cast per layer of velocities: (voice, lowest key, size of the formants' pattern relative to its own).
# A track's velocities lie close together, so a draw of them draws a singer. Variants of eSpeak NG begin with `!`.
_CASTS: dict[int, tuple[tuple[tuple[str, int, float], ...], ...]] = {
    52: (
        (("!m3", 0, 1.0), ("!f2", 53, 1.0), ("krb", 64, 0.95)),
        (("pc", 0, 1.0), ("dita", 57, 1.0)),
        (("kal", 0, 1.0), ("lp", 59, 1.0)),
        (("machac", 0, 1.0), ("lj", 56, 1.0)),
    ),
    53: (
        (("mv", 0, 1.0), ("lp", 57, 1.06)),
        (("!m7", 0, 1.0), ("!f4", 53, 1.0), ("dita", 62, 1.05)),
        (("ph", 0, 1.0), ("krb", 58, 0.9)),
        (("ked", 0, 1.0), ("lj", 60, 1.05)),
    ),
    54: (
        (("ph", 0, 0.93), ("dita", 55, 0.94)),
        (("kal", 0, 1.08), ("lj", 58, 0.95)),
        (("!m4", 0, 1.0), ("!f5", 53, 1.0), ("lp", 63, 0.96)),
        (("pc", 0, 0.94), ("krb", 60, 1.0)),
    ),
    85: (
        (("ked", 0, 1.07), ("krb", 59, 0.86)),
        (("machac", 0, 1.07), ("lp", 56, 0.93)),
        (("mv", 0, 0.95), ("dita", 61, 1.1)),
        (("!klatt4", 0, 1.0), ("!f3", 53, 1.0), ("lj", 62, 1.1)),
    ),
}
_LAYERS = ((0, 66), (67, 83), (84, 99), (100, 127))
_LOWEST, _HIGHEST = 38, 86
_RISE_SECONDS, _VIBRATOS = 0.45, 5  # of a vowel: until its vibrato is whole, and how many of its cycles repeat
_HIGHEST_HZ = 490.0  # Festival ends with a segmentation fault above 500 Hz
_LEVEL = 3200.0  # root mean square of what repeats, of 32768


def build(path: Path) -> None:
    """Have all voices sing and write them as one SoundFont, whose programs are those of the class voice.

    Raises
    ------
    UserError
        If a synthesizer or a voice is missing, or does not sing.
    """
    _require()
    with temporary_folder() as scratch:
        sung = [
            (program, velocities, part)
            for program, casts in _CASTS.items()
            for velocities, cast in zip(_LAYERS, casts, strict=True)
            for part in _parts(cast)
        ]
        presets: dict[tuple[int, int], list[Note]] = {(0, program): [] for program in _CASTS}
        for number, (program, velocities, (voice, low, high, formants)) in enumerate(sung):
            folder = scratch / f"{number:02}"
            folder.mkdir()
            singing = _spoken if voice.startswith("!") else _sung
            presets[0, program] += singing(folder, voice, (low, high), formants, velocities)
        write(path, "Singers", presets)


def _parts(cast: tuple[tuple[str, int, float], ...]) -> Iterator[tuple[str, int, int, float]]:
    highest = [low - 1 for _, low, _ in cast[1:]] + [127]
    for (voice, low, formants), high in zip(cast, highest, strict=True):
        yield voice, low, high, formants


def _require() -> None:
    missing = [name for name in ("festival", "espeak-ng") if not shutil.which(name)]
    missing += [voice.package for voice in _FESTIVAL.values() if not (VOICES / voice.folder).is_dir()]
    if missing:
        reason = f"{', '.join(missing)} missing, whose voices it is made of; install: {INSTALL}"
        raise UserError("soundfont-missing", NAME, reason)


def _syllable(number: int, consonants: tuple[str, ...], vowels: tuple[str, ...]) -> tuple[str, str]:
    return consonants[number * 3 % len(consonants)], vowels[number * 2 % len(vowels)]


def _sung(folder: Path, name: str, keys: tuple[int, int], formants: float, velocities: tuple[int, int]) -> list[Note]:
    """Have a voice of Festival sing every key of its range."""
    voice = _FESTIVAL[name]
    script = [f"(voice.select '{Path(voice.folder).name})"]
    rng = seeding.generator(0, "singers", name, str(formants), str(keys))
    rate, depth = rng.uniform(5.0, 6.2), rng.choice([0.0, 0.25, 0.4, 0.6])  # vibrato, Hz and semitones
    middle, plans = int(rng.integers(1000)), {}
    for key in range(max(keys[0], _LOWEST), min(keys[1], _HIGHEST) + 1):
        consonant, vowel = _syllable(middle + key, voice.consonants, voice.vowels)
        length = rng.uniform(0.06, 0.13)
        scoop = rng.uniform(-1.5, 0.3)  # semitones, at the beginning
        times = np.arange(0.0, _RISE_SECONDS + (_VIBRATOS + 1) / rate, 0.1 / rate)
        bends = depth * np.clip(times / _RISE_SECONDS, 0, 1) ** 2 * np.sin(2 * math.pi * rate * times)
        bends += scoop * np.exp(-times / 0.05)
        hz = 440 * 2 ** ((key - 69 + bends) / 12) / formants
        octave = hz.max() > _HIGHEST_HZ
        hz = hz / 2 if octave else hz
        if hz.max() > _HIGHEST_HZ:
            break
        targets = " ".join(f"({time:.4f} {value:.3f})" for time, value in zip(times, hz, strict=True))
        begun = f"({consonant} {length:.3f} (0 {hz[0]:.3f}))" if consonant else ""
        end = f"({voice.silence} 0.1 (0.1 {hz[-1]:.3f}))"
        segments = f"(({voice.silence} 0.1) {begun} ({vowel} {times[-1]:.4f} {targets}) {end})"
        script.append(f"(utt.save.wave (utt.synth (Utterance Segments {segments})) \"{folder}/{key}.wav\" 'riff)")
        begins = 0.1 + (length if consonant else 0.0)
        plans[key] = begins + _RISE_SECONDS, (times + begins, hz) if octave else None
    (folder / "song.scm").write_text("\n".join(script))
    _run("festival", "--batch", folder / "song.scm")
    notes = []
    for key, (begins, melody) in plans.items():
        y, sample_rate = soundfile.read(folder / f"{key}.wav")
        y = _octave_higher(y, sample_rate, *melody) if melody else y
        low, high = keys[0] if key == min(plans) else key, keys[1] if key == max(plans) else key
        notes.append(_note(y, sample_rate, key, formants, (begins, _VIBRATOS / rate), (low, high), velocities))
    return notes


def _octave_higher(y: Signal, sample_rate: int, times: Signal, hz: Signal) -> Signal:
    """Cancel the odd harmonics of a voice that sings `hz` at `times`: the octave is left, in the same formants."""
    now = np.arange(len(y))
    half = 0.5 * sample_rate / np.interp(now / sample_rate, times, hz)
    return (2 * y + np.interp(now - half, now, y) + np.interp(now + half, now, y)) / 4


def _spoken(folder: Path, name: str, keys: tuple[int, int], formants: float, velocities: tuple[int, int]) -> list[Note]:
    """Have a variant of eSpeak NG speak syllables without melody, at every pitch that it has for these keys."""
    found = {}
    for number, pitch in enumerate(range(0, 100, 9)):
        consonant, vowel = _syllable(number + len(name) + keys[0], ("l", "n", "m", "d", "", "h", "t", "v", "j", "s", "r"), tuple("aeiouä"))
        file = folder / f"{pitch}.wav"
        text = f'<prosody range="0">{consonant}{8 * vowel}</prosody>'
        _run("espeak-ng", "-m", "-v", f"fi+{name[1:]}", "-s", "80", "-p", str(pitch), "-w", file, text)
        y, rate = soundfile.read(file)
        hz = librosa.yin(y[rate // 2 : rate], fmin=50, fmax=600, sr=rate, frame_length=2048)
        found[float(librosa.hz_to_midi(np.median(hz)))] = file
    pitches = sorted(pitch for pitch in found if keys[0] - 4 <= pitch <= keys[1] + 4)
    tops = [*(int((low + high) // 2) for low, high in zip(pitches, pitches[1:])), keys[1]]
    bottoms = [keys[0], *(top + 1 for top in tops)]
    return [
        _note(*soundfile.read(found[pitch]), pitch, formants, (0.5, 0.6), (low, high), velocities)
        for pitch, low, high in zip(pitches, bottoms, tops)
        if low <= high
    ]


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"{command[0]} failed: {one_line(str(error))}; install again: {INSTALL} --reinstall"
        raise UserError("soundfont-missing", NAME, reason) from error


def _note(
    y: Signal,
    rate: int,
    key: float,
    formants: float,
    repeats: tuple[float, float],
    keys: tuple[int, int],
    velocities: tuple[int, int],
) -> Note:
    """Cut a note out of what was sung, and have its vowel repeat; `repeats` is its beginning and length in seconds."""
    start = round(repeats[0] * rate)
    period = formants * rate / (440 * 2 ** ((key - 69) / 12))
    window = max(round(3 * period), rate // 100)
    near = np.arange(round(start + repeats[1] * rate - period), round(start + repeats[1] * rate + period) + 1)
    here = y[start - window : start]
    there = np.lib.stride_tricks.sliding_window_view(y, window)[near - window]
    alike = there @ here / (np.linalg.norm(there, axis=1) * np.linalg.norm(here) + 1e-9)
    end = int(near[np.argmax(alike)])
    fade = np.linspace(0, 1, max(window, rate // 25))
    y[end - len(fade) : end] += fade * (y[start - len(fade) : start] - y[end - len(fade) : end])
    first = max(0, int(np.argmax(np.abs(y) > 0.02 * np.abs(y).max())) - rate // 200)
    y = np.concatenate([y[first:end], y[start : start + 32]])
    y[: rate // 500] *= np.linspace(0, 1, rate // 500)
    scale = min(_LEVEL / np.sqrt(np.mean(y[start - first : end - first] ** 2)), 30000 / np.abs(y).max())
    pcm = np.round(y * scale).astype(np.int16)
    return Note(
        pcm,
        round(rate * formants),
        key,
        keys,
        (start - first, end - first),
        attack_seconds=0.002,
        release_seconds=0.4,
        velocities=velocities,
    )
