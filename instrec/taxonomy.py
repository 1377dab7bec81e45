"""What instruments there are: classes, General MIDI programs, playable ranges and how each is played.

Programs are numbered from 0, as in the MIDI messages themselves. Ranges are sounding MIDI pitches, from
General MIDI and the usual comfortable compass of amateurs in books on orchestration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from instrec.errors import UserError

DRUM_CHANNEL = 9  # General MIDI's percussion channel, 10 when counted from one


@dataclass(frozen=True)
class Instrument:
    """A class: its programs, range and manner of playing.

    Attributes
    ----------
    name : the class.
    programs : General MIDI programs that stand for it, each with its sounding range (lowest and highest MIDI pitch);
        none for drums, which have a channel of their own.
    chords : largest number of notes a player sounds at once.
    sustained : True when a held note keeps sounding (bow, breath, organ), False when it decays (plucked, struck).
    title : display name; for a General MIDI program, the name in the standard.
    """

    name: str
    programs: dict[int, tuple[int, int]]
    chords: int
    sustained: bool

    @property
    def title(self) -> str:
        if self.name in PROGRAMS:
            from pretty_midi import program_to_instrument_name  # params.py imports this module, and does not need it

            return str(program_to_instrument_name(next(iter(self.programs))))
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
        # Not among the default classes, but told apart by the wide model or by published systems.
        Instrument("viola", {41: (48, 84)}, 2, True),
        Instrument("bassoon", {70: (34, 70)}, 1, True),
        Instrument("cor_anglais", {69: (52, 81)}, 1, True),
        Instrument("french_horn", {60: (41, 77)}, 1, True),
        Instrument("trombone", {57: (40, 70)}, 1, True),
        Instrument("tuba", {58: (28, 58)}, 1, True),
        Instrument("harp", {46: (24, 103)}, 4, False),
        Instrument("accordion", dict.fromkeys((21, 23), (53, 93)), 4, True),
        Instrument("harmonica", {22: (60, 96)}, 2, True),
        Instrument("banjo", {105: (48, 86)}, 3, False),
        Instrument("mallet_percussion", {9: (79, 108), 11: (53, 89), 12: (45, 96), 13: (65, 108)}, 2, False),
        Instrument("synthesizer", dict.fromkeys((80, 81, 86, 87, 88, 90), (36, 96)), 4, True),
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


@dataclass(frozen=True)
class Substitute:
    """A substitute program: of the same family as another program, whose notes it can play.

    Attributes
    ----------
    program : its number.
    pitches : its own range; only notes in it are used.
    transposed : least and largest distance, in semitones, from the pitch that sounds to the note used. A larger
        instrument sounds like a smaller one if its notes are transposed up by as much as it is larger.
    """

    program: int
    pitches: tuple[int, int]
    transposed: tuple[int, int] = (0, 0)


_SUBSTITUTES: dict[int, tuple[Substitute, ...]] = {
    0: (Substitute(3, (24, 104)),),  # honky-tonk: a piano out of tune
    40: (Substitute(41, (48, 84), (-7, -1)),),  # viola
    42: (Substitute(41, (48, 84), (5, 12)),),
    56: (Substitute(59, (54, 86)), Substitute(57, (40, 72), (-14, -5))),  # with a mute, trombone
    68: (Substitute(69, (52, 81), (-7, -1)),),  # cor anglais
    73: (Substitute(72, (74, 102), (5, 12)),),  # piccolo
}

PIZZICATO = 45
"""General MIDI program of plucked strings."""
PLUCKABLE = frozenset((40, 42))
"""Programs of bowed strings that it can play for. The double bass has a program of its own for plucked notes."""


def substitutes(program: int, classes: Iterable[str]) -> tuple[Substitute, ...]:
    """Return the substitutes of a program that are none of `classes` themselves."""
    own = set(classes)
    return tuple(
        substitute
        for substitute in _SUBSTITUTES.get(program, ())
        if own.isdisjoint((CLASS_OF_PROGRAM.get(substitute.program), f"gm_{substitute.program:03}"))
    )


GENERAL_MIDI = "general_midi"  # in `classes`, short for all 128 programs, each a class of its own

# Families of programs whose held notes keep sounding: organs, bowed strings and ensembles to synthesizers' pads.
_SUSTAINED = frozenset((*range(16, 24), *range(40, 45), *range(48, 55), *range(56, 96)))

PROGRAMS: dict[str, Instrument] = {
    f"gm_{program:03}": Instrument(
        f"gm_{program:03}", {program: RANGE_OF_PROGRAM.get(program, (36, 84))}, 3, program in _SUSTAINED
    )
    for program in range(128)
}
"""The General MIDI programs as classes."""

# Names that folders, datasets and people use for our classes.
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
    "english_horn": "cor_anglais",
    "horn": "french_horn",
    "human_voice": "voice",
    "bandoneon": "accordion",
    "synth": "synthesizer",
    **dict.fromkeys(("mallets", "glockenspiel", "vibraphone", "marimba", "xylophone"), "mallet_percussion"),
}


def class_named(label: str) -> str | None:
    """Return the class of a label, or None.

    >>> [class_named(label) for label in ("Double Bass", "contrabass", "kazoo")]
    ['double_bass', 'double_bass', None]
    """
    name = "_".join(label.lower().replace("-", " ").replace("_", " ").split())
    name = ALIASES.get(name, name)
    return name if name in INSTRUMENTS else None


def instrument(name: str) -> Instrument:
    """Return a class by its name, General MIDI programs included."""
    return INSTRUMENTS.get(name) or PROGRAMS[name]


def require(names: tuple[str, ...]) -> tuple[str, ...]:
    """Check that every name is a known class and none comes twice; spell out `general_midi`.

    Raises
    ------
    UserError
        If a class is unknown or occurs twice.
    """
    if names == (GENERAL_MIDI,):
        return tuple(PROGRAMS)
    for name in names:
        if name not in INSTRUMENTS and name not in PROGRAMS:
            known = f"{', '.join(INSTRUMENTS)}, gm_000 to gm_127, or {GENERAL_MIDI} alone"
            raise UserError("value-unknown", "params.yaml: classes", f"unknown class {name!r}; known: {known}")
    if len(set(names)) != len(names):
        raise UserError("value-repeated", "params.yaml: classes", "a class is named twice; remove the repetition")
    return names


def columns_of(name: str, classes: Iterable[str]) -> list[int]:
    """Return the indices in `classes` of the class `name`, or of its programs; none if `classes` has neither.

    With them, a model of General MIDI programs recognizes instruments, as in Sethi (2018): an instrument sounds if any
    of its programs does.

    >>> columns_of("piano", ("violin", "piano"))
    [1]
    >>> columns_of("piano", ("gm_000", "gm_040", "gm_001"))
    [0, 2]
    """
    own = {name, *(f"gm_{program:03}" for program in INSTRUMENTS[name].programs)} if name in INSTRUMENTS else {name}
    return [place for place, known in enumerate(classes) if known in own]
