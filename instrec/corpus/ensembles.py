"""Which instruments play together: bands, jazz groups, chamber music and accompanied soloists.

Each weight is how likely a class is to join, relative to the others of its ensemble. Any class of an ensemble may be
the one that is left out, as arrangements and excerpts of music are partial.
"""

from __future__ import annotations

import numpy as np

from instrec import taxonomy
from instrec.corpus import manifest, soundfont_programs
from instrec.params import Params

_ENSEMBLES: tuple[dict[str, float], ...] = (
    {
        "voice": 4,
        "drums": 4,
        "electric_bass": 4,
        "electric_guitar": 4,
        "piano": 1.5,
        "acoustic_guitar": 1.5,
        "organ": 1,
        "saxophone": 0.4,
        "trumpet": 0.3,
        "synthesizer": 2,
        "trombone": 0.3,
    },
    {
        "voice": 4,
        "acoustic_guitar": 4,
        "drums": 2,
        "electric_bass": 2,
        "double_bass": 1,
        "piano": 1,
        "violin": 1,
        "electric_guitar": 1,
        "flute": 0.5,
        "banjo": 1.5,
        "harmonica": 1.5,
        "accordion": 1.5,
    },
    {
        "saxophone": 3,
        "piano": 3,
        "double_bass": 4,
        "drums": 3,
        "trumpet": 2,
        "electric_guitar": 1,
        "clarinet": 1,
        "voice": 1,
        "organ": 0.5,
        "trombone": 1.5,
        "mallet_percussion": 1.5,
    },
    {
        "piano": 8,
        "violin": 2,
        "cello": 2,
        "flute": 2,
        "oboe": 2,
        "clarinet": 2,
        "saxophone": 2,
        "trumpet": 1.5,
        "voice": 2,
        "viola": 2,
        "french_horn": 1.5,
        "bassoon": 1.5,
        "trombone": 1.5,
        "tuba": 1,
        "harp": 1,
    },
    {
        "violin": 4,
        "cello": 3,
        "double_bass": 1,
        "flute": 1,
        "oboe": 1,
        "clarinet": 1,
        "piano": 1,
        "viola": 3,
        "harp": 1,
        "french_horn": 1,
    },
    {
        "flute": 3,
        "oboe": 3,
        "clarinet": 3,
        "saxophone": 1.5,
        "trumpet": 1,
        "piano": 1.5,
        "violin": 1.5,
        "cello": 1,
        "bassoon": 3,
        "french_horn": 3,
        "harp": 1,
    },
    {"organ": 5, "voice": 3, "trumpet": 2, "violin": 1, "oboe": 1, "flute": 1, "cello": 1, "trombone": 1},
    # From here on, ensembles that have one of the default classes at most.
    {"french_horn": 3, "trombone": 3, "tuba": 2, "trumpet": 4},
    {"synthesizer": 4, "mallet_percussion": 1, "drums": 3},
    {"accordion": 3, "harmonica": 1, "banjo": 1, "violin": 2},
)

_OTHERS = ("bassoon", "french_horn", "tuba", "gm_011", "gm_021", "gm_022", "gm_046", "gm_089", "gm_105")
"""Instruments of music that most models have no class for, and that do not sound like one: after the winds,
vibraphone, accordion, harmonica, harp, a synthesizer's pad and banjo."""


def mixture(rng: np.random.Generator, params: Params, count: int) -> tuple[str, ...]:
    """Draw `count` classes for a mixture, and one of the others as often as `balance.others_share` says.

    The other comes last. As it is no class, it has no column among the labels: the model learns to name nothing for it.
    """
    labels, share = together(rng, params, count), params.balance.others_share
    if not share or rng.random() >= share:
        return labels
    known = {program for name in params.classes for program in taxonomy.instrument(name).programs}
    others = [name for name in _OTHERS if known.isdisjoint(taxonomy.instrument(name).programs)]
    return (*labels, others[rng.integers(len(others))]) if others else labels


def together(rng: np.random.Generator, params: Params, count: int) -> tuple[str, ...]:
    """Draw the instruments of a mixture: those of an ensemble, as often as `balance.ensemble_share` says, or any."""
    if count < 2 or not params.balance.ensemble_share or rng.random() >= params.balance.ensemble_share:
        return any_of(rng, params, count)
    drawn = draw(rng, params.classes, count)
    return tuple(sorted(drawn, key=params.classes.index)) or any_of(rng, params, count)


def any_of(rng: np.random.Generator, params: Params, count: int) -> tuple[str, ...]:
    """Draw `count` of the classes, in their order."""
    chosen = rng.choice(sorted(params.classes), size=count, replace=False).tolist()
    return tuple(sorted(chosen, key=params.classes.index))


def draw(rng: np.random.Generator, classes: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Draw `count` of the classes that play together; none if no ensemble has so many of them."""
    known = [{name: weight for name, weight in each.items() if name in classes} for each in _ENSEMBLES]
    able = [each for each in known if len(each) >= count]
    if not able:
        return ()
    ensemble = able[rng.integers(len(able))]
    weights = np.array(list(ensemble.values()))
    chosen = rng.choice(list(ensemble), size=count, replace=False, p=weights / weights.sum())
    return tuple(str(name) for name in chosen)


def soundfonts(
    rng: np.random.Generator,
    params: Params,
    held: soundfont_programs.Holdings,
    names: tuple[str, ...],
    classes: tuple[str, ...],
    place: int,
) -> str:
    """Choose the SoundFont of a composed clip by place, or, if `soundfonts.mixed` is set, draw one for each class.

    Raises
    ------
    UserError
        As in `soundfont_programs.font`.
    """
    if not params.soundfonts.mixed or len(classes) < 2:
        return soundfont_programs.font(held, names, classes, place)
    places = rng.integers(len(names) ** 2, size=len(classes)).tolist()
    drawn = (soundfont_programs.font(held, names, (name,), own) for name, own in zip(classes, places, strict=True))
    return manifest.FONTS.join(drawn)
