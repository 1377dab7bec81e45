"""Singers: solo voices of Debian's speech synthesizers, which sing a syllable per key, made into a SoundFont.

General MIDI banks hold choirs only. Festival's diphone voices sing at any pitch and keep their formants; eSpeak NG's
formant voices speak on one pitch, which is measured. Consonants begin a note, and its vowel repeats while it is held.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import numpy as np
import soundfile

from instrec.errors import UserError, one_line
from instrec.synthesis.soundfonts import sf2_writer, vowels
from instrec.synthesis.soundfonts.sf2_writer import Note, write
from instrec.util import seeding
from instrec.util.files import temporary_folder

NAME = "Singers.sf2"
VOICES = Path("/usr/share/festival/voices")


@dataclass(frozen=True)
class _Voice:
    """A voice of Festival: Debian's package, its folder, and its phones."""

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
_PROGRAMS = ("festival", "espeak-ng")  # as their packages are called
PACKAGES = (*_PROGRAMS, *(voice.package for voice in _FESTIVAL.values()))
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
_LOWEST, _HIGHEST = 38, 86  # keys
_RISE_SECONDS, _CYCLES = 0.45, 5  # of a vowel: until its vibrato is whole, and how many vibratos repeat
_HIGHEST_HZ = 490.0  # above 500 Hz Festival ends with a segmentation fault
_SPOKEN = ("l", "n", "m", "d", "h", "t", "v", "j", "s", "r", ""), ("a", "e", "i", "o", "u", "ä")  # of Finnish


def build(path: Path) -> None:
    """Have all voices sing, and write them as one SoundFont of the programs of class voice.

    Raises
    ------
    UserError
        If a synthesizer or a voice is missing or fails.
    """
    _require()
    presets: dict[tuple[int, int], list[Note]] = {(0, program): [] for program in _CASTS}
    with temporary_folder() as scratch:
        for program, casts in _CASTS.items():
            for layer, cast in zip(_LAYERS, casts, strict=True):
                highest = [low - 1 for _, low, _ in cast[1:]] + [127]
                for (voice, low, formants), high in zip(cast, highest, strict=True):
                    folder = scratch / f"{program}-{layer[0]}-{low}"
                    folder.mkdir()
                    spoken = voice.startswith("!")
                    sung = _spoken(folder, voice, low) if spoken else _sung(folder, voice, (low, high), formants)
                    presets[0, program] += _spread([note for note in sung if note], voice, (low, high), layer)
    write(path, "Singers", presets)


def digest() -> str:
    """Return a digest of all that the SoundFont is made of: synthesizers, voices and this code.

    Raises
    ------
    UserError
        If a synthesizer or a voice is missing.
    """
    _require()
    whole = hashlib.sha256()
    programs = [Path(str(shutil.which(program))) for program in _PROGRAMS]
    voices = [file for voice in _FESTIVAL.values() for file in sorted((VOICES / voice.folder).rglob("*"))]
    for path in (Path(__file__), Path(sf2_writer.__file__), Path(vowels.__file__), *programs, *voices):
        if path.is_file():
            with path.open("rb") as content:
                whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()


def _require() -> None:
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    missing += [voice.package for voice in _FESTIVAL.values() if not (VOICES / voice.folder).is_dir()]
    if missing:
        reason = f"it is made of voices, of which {', '.join(missing)} are missing; install them: {INSTALL}"
        raise UserError("soundfont-missing", NAME, reason)


def _sung(folder: Path, name: str, keys: tuple[int, int], formants: float) -> Iterator[Note | None]:
    """Have a voice of Festival sing a syllable per key; None where it fails."""
    voice = _FESTIVAL[name]
    rng = seeding.generator(0, "singers", name, str(keys), str(formants))
    rate, depth = rng.uniform(5.0, 6.2), rng.choice([0.0, 0.25, 0.4, 0.6])  # of the vibrato: Hz, semitones
    times = np.arange(0.0, _RISE_SECONDS + (_CYCLES + 1) / rate, 0.1 / rate)
    vibrato = depth * np.clip(times / _RISE_SECONDS, 0, 1) ** 2 * np.sin(2 * math.pi * rate * times)
    first, script = int(rng.integers(1000)), [f"(voice.select '{Path(voice.folder).name})"]
    begins: dict[int, float] = {}
    doubled: dict[int, vowels.Signal] = {}
    for key in range(max(keys[0], _LOWEST), min(keys[1], _HIGHEST) + 1):
        consonant, vowel = _syllable(first + key, voice.consonants, voice.vowels)
        length, slide = rng.uniform(0.06, 0.13), rng.uniform(-1.5, 0.3)  # seconds, semitones
        hz = vowels.hz(key + vibrato + slide * np.exp(-times / 0.05)) / formants
        if hz.max() > _HIGHEST_HZ:
            hz = doubled[key] = hz / 2
        if hz.max() > _HIGHEST_HZ:
            break
        begin = f"({consonant} {length:.3f} (0 {hz[0]:.3f}))" if consonant else ""
        melody = " ".join(f"({time:.4f} {value:.3f})" for time, value in zip(times, hz, strict=True))
        end = f"(b 0.1) ({voice.silence} 0.1 (0.1 {hz[-1]:.3f}))"  # before silence the vowel would fade
        segments = f"(({voice.silence} 0.1) {begin} ({vowel} {times[-1]:.4f} {melody}) {end})"
        script.append(f'(utt.save.wave (utt.synth (Utterance Segments {segments})) "{folder}/{key}.wav" \'riff)')
        begins[key] = 0.1 + (length if consonant else 0.0)
    (folder / "song.scm").write_text("\n".join(script))
    _run("festival", "--batch", folder / "song.scm")
    for key, begin_seconds in begins.items():
        y, sample_rate = soundfile.read(folder / f"{key}.wav")
        if key in doubled:
            y = vowels.octave_higher(y, sample_rate, times + begin_seconds, doubled[key])
        yield vowels.note(y, sample_rate, key, formants, begin_seconds + _RISE_SECONDS, _CYCLES / rate)


def _spoken(folder: Path, name: str, first: int) -> Iterator[Note | None]:
    """Have a variant of eSpeak NG speak syllables without melody, at each of its pitches."""
    for number, pitch in enumerate(range(0, 100, 6)):
        consonant, vowel = _syllable(number + first, *_SPOKEN)
        file = folder / f"{pitch}.wav"
        text = f'<prosody range="0">{consonant}{8 * vowel}</prosody>'
        _run("espeak-ng", "-m", "-v", f"fi+{name[1:]}", "-s", "80", "-p", str(pitch), "-w", file, text)
        y, rate = soundfile.read(file)
        hz = librosa.yin(y[rate // 3 : rate], fmin=50, fmax=600, sr=rate, frame_length=2048)
        yield vowels.note(y, rate, float(librosa.hz_to_midi(np.median(hz))), 1.0, 0.35, 0.6)


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"{command[0]} failed: {one_line(str(error))}; install again: {INSTALL} --reinstall"
        raise UserError("synthesizer-failed", NAME, reason) from error


def _syllable(number: int, consonants: Sequence[str], vowels: Sequence[str]) -> tuple[str, str]:
    return consonants[number * 3 % len(consonants)], vowels[number * 2 % len(vowels)]


def _spread(notes: list[Note], voice: str, keys: tuple[int, int], velocities: tuple[int, int]) -> Iterator[Note]:
    """Have each note play the keys nearest to it."""
    notes = sorted((note for note in notes if keys[0] - 4 <= note.key <= keys[1] + 4), key=lambda note: note.key)
    if not notes:
        raise UserError(
            "synthesizer-failed", NAME, f"{voice} gives no even vowel; install again: {INSTALL} --reinstall"
        )
    tops = [math.floor((note.key + following.key) / 2) for note, following in itertools.pairwise(notes)]
    lows, highs = [keys[0], *(top + 1 for top in tops)], [*tops, keys[1]]
    for note, low, high in zip(notes, lows, highs, strict=True):
        if max(low, keys[0]) <= min(high, keys[1]):
            yield replace(note, keys=(max(low, keys[0]), min(high, keys[1])), velocities=velocities)
