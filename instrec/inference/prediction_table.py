"""A prediction as a table to read."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from instrec import taxonomy
from instrec.inference.prediction import Prediction
from instrec.util.text import aligned, clock

SPANS = 10
"""Segments of an instrument that the table shows; the other formats have them all."""


def prediction_table(prediction: Prediction) -> str:
    """Lay out the instruments of one file with their probability and the times they sound."""
    heading = f"{prediction.activations.file}  {clock(prediction.activations.duration, decimals=1)}"
    columns = shutil.get_terminal_size((110, 24)).columns
    lines = list(_instruments(prediction, columns)) if prediction.instruments else [f"  {nothing(prediction)}"]
    doubtful = [
        f"{_named(each.name)} {each.probability:.2f} at {clock(each.segments[0][0])}" for each in prediction.doubtful
    ]
    if doubtful:
        lines.append(_wrapped(f"  doubtful: {', '.join(doubtful)}", columns, indent=4))
    return "\n".join([heading, *lines])


def _instruments(prediction: Prediction, columns: int) -> Iterator[str]:
    rows = [("instrument", "time", "probability", "sounds")]
    for each in prediction.instruments:
        rows.append((_named(each.name), f"{each.share:.0%}", f"{each.probability:.2f}", _spans(each.segments)))
    indent = sum(2 + max(map(len, column)) for column in list(zip(*rows, strict=True))[:3]) + 2
    for line in aligned(rows, right=(1, 2)):
        yield _wrapped(f"  {line}", max(columns, indent + 20), indent)


def _wrapped(line: str, columns: int, indent: int) -> str:
    return textwrap.fill(line, columns, subsequent_indent=" " * indent, break_on_hyphens=False)


def _spans(segments: Sequence[tuple[float, float]]) -> str:
    shown = [f"{clock(start, decimals=1)}-{clock(end, decimals=1)}" for start, end in segments[:SPANS]]
    return "  ".join(shown) + (f"  and {len(segments) - SPANS} more" if len(segments) > SPANS else "")


def _named(name: str) -> str:
    """Return a class as it is called; a General MIDI program's number says little, so its title comes behind."""
    return f"{name} {taxonomy.instrument(name).title}" if name in taxonomy.PROGRAMS else name


def nothing(prediction: Prediction) -> str:
    """Tell why a sound has no instruments: silence, or what comes nearest."""
    strongest = prediction.timeline.max(axis=0)
    if not strongest.any():
        return "silent: nothing sounds"
    if prediction.doubtful:
        return "nothing is sure enough or lasts long enough"
    best = int(strongest.argmax())
    return (
        f"nothing reaches its threshold; nearest: {_named(prediction.activations.classes[best])} {strongest[best]:.2f}"
    )
