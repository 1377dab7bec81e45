"""The card as Markdown: `card.md`, filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from instrec.models.released import FACTS, RELEASED
from instrec.tracking.model_card.facts import Facts
from instrec.tracking.model_card.licenses import terms
from instrec.web.templates import templates

_SETS = {
    "seen_clean": "SoundFonts of training",
    "seen_noisy": "the same clips with noise, reverb, overload and the like",
    "unseen_clean": "a SoundFont that training never heard",
    "unseen_noisy": "the same clips with noise, reverb, overload and the like",
    "unseen_excerpts": "pieces of 5 to 20 s, the unseen SoundFont",
    "recordings": "recordings held out of training",
}
_CLIPS = (
    ("solo", "top1", "solo: top-1"),
    ("solo", "macro_f1", "solo: macro F1"),
    ("mixtures", "micro_f1", "mixtures: micro F1"),
    ("mixtures", "count_accuracy", "mixtures: count right"),
    ("excerpts", "micro_f1", "pieces: micro F1"),
)


def page(facts: Facts) -> str:
    """Lay out the facts of `facts.gather`.

    Raises
    ------
    UserError
        When a SoundFont's license is unknown.
    """
    known = templates("instrec.tracking.model_card", escaped=False)
    known.filters |= {
        "figure": _figure,
        "spaced": lambda name: name.replace("_", " "),
        "thousands": lambda number: f"{number:,}",
    }
    content = {
        **facts,
        **facts["clips"],
        "clip_seconds": f"{facts['params']['clip']['seconds']:g}",
        "facts_file": FACTS,
        "released": RELEASED,
        "soundfonts": list(_soundfonts(facts)),
        "scores": _scores(facts),
    }
    return known.get_template("card.md").render(content)


def _soundfonts(facts: Facts) -> Iterator[tuple[str, ...]]:
    """Return a row for each SoundFont that was used: clips of training and validation, license, holders, package."""
    train, valid = (facts["clips"][split]["soundfonts"] for split in ("train", "valid"))
    unseen = facts["params"]["soundfonts"]["unseen"]
    for name in dict.fromkeys((*train, *valid, unseen)):
        license, holders, package = terms(name)
        clips = ("never heard: tests", "-") if name == unseen else (f"{own.get(name, 0):,}" for own in (train, valid))
        yield f"`{name}`", *clips, license, holders, f"`{package}`"


def _scores(facts: Facts) -> tuple[list[str], list[list[str]]]:
    """Return the head of the table of scores, and a row for each test set."""
    sets = facts["scores"]
    shown = [each for each in _CLIPS if any(each[1] in parts.get(each[0], {}) for parts in sets.values())]
    rows = [
        [f"`{name}`", _SETS.get(name, ""), *(_figure(sets[name].get(kind, {}), metric) for kind, metric, _ in shown)]
        for name in sorted(sets, key=lambda name: [*_SETS, name].index(name))
    ]
    return ["test set", "", *(title for *_, title in shown)], rows


def _figure(part: Mapping[str, Any], metric: str) -> str:
    if metric not in part:
        return "-"
    low, high = part["intervals"][metric]
    return f"{part[metric]:.3f} [{low:.3f}, {high:.3f}]"
