"""What instruments there are: classes, General MIDI programs, playable ranges and how each is played.

Programs are numbered from 0, as in the MIDI messages themselves. Ranges are sounding MIDI pitches, from
General MIDI's and orchestration books' usual figures for an amateur's comfortable compass.
"""

from __future__ import annotations

from dataclasses import dataclass

from instrec.errors import UserError

DRUM_CHANNEL = 9  # General MIDI's percussion channel, 10 when counted from one


@dataclass(frozen=True)
class Instrument:
    """How a class sounds and is played.

    Attributes
    ----------
    name : the class.
    programs : General MIDI programs that stand for it, each with its sounding range (lowest and highest MIDI pitch);
        none for drums, which have a channel of their own.
    chords : largest number of notes a player sounds at once.
    sustained : True when a held note keeps sounding (bow, breath, organ), False when it decays (plucked, struck).
    title : as people write it.
    """

    name: str
    programs: dict[int, tuple[int, int]]
    chords: int
    sustained: bool

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")

    @property
    def is_drum(self) -> bool:
        return not self.programs


INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        Instrument("electric_bass", dict.fromkeys((33, 34, 35, 36, 37), (28, 60)), 1, False),
        Instrument("double_bass", {32: (28, 60), 43: (28, 57)}, 1, False),
        Instrument("cello", {42: (36, 76)}, 2, True),
        Instrument("violin", {40: (55, 93)}, 2, True),
        Instrument("flute", {73: (60, 96)}, 1, True),
        Instrument("oboe", {68: (58, 91)}, 1, True),
        Instrument("clarinet", {71: (50, 91)}, 1, True),
        Instrument("saxophone", {64: (56, 87), 65: (49, 80), 66: (44, 75), 67: (37, 68)}, 1, True),
        Instrument("trumpet", {56: (54, 86)}, 1, True),
        Instrument("acoustic_guitar", {24: (40, 83), 25: (40, 84)}, 6, False),
        Instrument("electric_guitar", dict.fromkeys((26, 27, 28, 29, 30), (40, 84)), 6, False),
        Instrument("piano", {0: (24, 104), 1: (24, 104), 2: (28, 100)}, 6, False),
        Instrument("organ", dict.fromkeys((16, 17, 18, 19), (36, 96)), 5, True),
        Instrument("drums", {}, 4, False),
        Instrument("voice", {52: (43, 79), 53: (43, 84), 54: (43, 84), 85: (48, 84)}, 1, True),
    )
}

CLASS_OF_PROGRAM: dict[int, str] = {
    program: instrument.name for instrument in INSTRUMENTS.values() for program in instrument.programs
}
"""General MIDI program -> class; programs that stand for no class are absent."""

RANGE_OF_PROGRAM: dict[int, tuple[int, int]] = {
    program: pitches for instrument in INSTRUMENTS.values() for program, pitches in instrument.programs.items()
}
"""General MIDI program -> lowest and highest MIDI pitch a player sounds."""

# Names that folders, data sets and people use for our classes.
ALIASES: dict[str, str] = {
    "bass": "electric_bass",
    "bass_guitar": "electric_bass",
    "contrabass": "double_bass",
    "upright_bass": "double_bass",
    "violoncello": "cello",
    "sax": "saxophone",
    "guitar": "acoustic_guitar",
    "drum_kit": "drums",
    "drum_set": "drums",
    "percussion": "drums",
    "vocals": "voice",
    "singing": "voice",
    "human_voice": "voice",
}


def class_named(label: str) -> str | None:
    """Give the class a label means (`Double Bass`, `double-bass` and `contrabass` are one), or None."""
    name = "_".join(label.lower().replace("-", " ").replace("_", " ").split())
    name = ALIASES.get(name, name)
    return name if name in INSTRUMENTS else None


def require(names: tuple[str, ...]) -> tuple[str, ...]:
    """Check that every name is a known class and none comes twice.

    Raises
    ------
    UserError
        Naming the unknown class and the known ones.
    """
    for name in names:
        if name not in INSTRUMENTS:
            raise UserError(f"params.yaml: classes: unknown class {name!r}; known: {', '.join(INSTRUMENTS)}")
    if len(set(names)) != len(names):
        raise UserError("params.yaml: classes: a class is named twice; remove the repetition")
    return names
