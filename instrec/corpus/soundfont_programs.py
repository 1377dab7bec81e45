"""The programs and drum kits of SoundFonts, and which SoundFont can play a clip.

If a SoundFont lacks a program, FluidSynth plays a piano instead. So a clip gets a SoundFont that holds all its
programs, by the table that stage download writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from instrec import taxonomy
from instrec.corpus import index
from instrec.errors import UserError


@dataclass(frozen=True)
class Held:
    """The General MIDI programs and the drum kits that a SoundFont plays."""

    programs: frozenset[int]
    kits: frozenset[int]

    def lacks(self, classes: Iterable[str]) -> list[str]:
        """Return which programs of some classes the SoundFont lacks; empty if it has all."""
        missing = []
        for instrument in map(taxonomy.instrument, classes):
            if instrument.is_drum and not self.kits:
                missing.append(f"a drum kit ({instrument.name})")
            lacking = sorted(instrument.programs.keys() - self.programs)
            missing += [f"program {program} ({instrument.name})" for program in lacking]
        return missing


Holdings = Mapping[str, Held]
"""SoundFont -> what it holds."""


def font(held: Holdings, names: tuple[str, ...], classes: tuple[str, ...], place: int) -> str:
    """Choose in turn, by place, among the SoundFonts that hold all programs of the classes.

    Raises
    ------
    UserError
        If none does, or one is not listed in `datasets/soundfonts.csv`.
    """
    if unlisted := [name for name in names if name not in held]:
        raise UserError(
            "soundfont-unlisted",
            "datasets/soundfonts.csv",
            f"does not list {', '.join(unlisted)}; run `dvc repro download`",
        )
    missing = {name: held[name].lacks(classes) for name in names}
    turn, number = divmod(place, len(names))
    able = [name for name in names if not missing[name]]
    if not able:
        told = "; ".join(f"{name} lacks {', '.join(lacking)}" for name, lacking in missing.items())
        raise UserError(
            "program-missing",
            "params.yaml: soundfonts",
            f"none plays {' + '.join(classes)}: {told}; name another SoundFont there, or take "
            "what it lacks out of classes",
        )
    return names[number] if names[number] in able else able[turn % len(able)]


def read(path: Path) -> Holdings:
    """Read what each SoundFont holds from the table that stage download wrote.

    Raises
    ------
    UserError
        If the table is missing or another.
    """
    return dict(index.read_table(path, _held, "a table of SoundFonts", stage="download"))


def _held(row: Mapping[str, str]) -> tuple[str, Held]:
    return row["name"], Held(_numbers(row["programs"]), _numbers(row["kits"]))


def ranges(numbers: Iterable[int]) -> str:
    """Write numbers as ranges: `0-2 16-19 24`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _numbers(ranges: str) -> frozenset[int]:
    """Read what `ranges` wrote."""
    runs = [[int(end) for end in run.split("-")] for run in ranges.split()]
    return frozenset(number for run in runs for number in range(run[0], min(run[-1], 127) + 1))
