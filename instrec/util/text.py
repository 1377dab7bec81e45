"""Results as plain, aligned text."""

from __future__ import annotations

import shutil
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from instrec import taxonomy
from instrec.errors import shown

if TYPE_CHECKING:
    from instrec.inference.prediction import Prediction


def clock(seconds: float, *, decimals: int = 0) -> str:
    """Write a time as people do: 0:07, 12:34, 1:02:03; with `decimals` of a second where asked."""
    # Rounded first, so that 59.96 becomes 1:00.0 and not 0:60.0.
    minutes, rest = divmod(round(seconds, decimals), 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def prediction_table(prediction: Prediction) -> str:
    """Lay out the instruments of one file with their probability and the times they sound."""
    heading = f"{prediction.heard.file}  {clock(prediction.heard.duration, decimals=1)}"
    if not prediction.instruments:
        return f"{heading}\n  {_nothing(prediction)}"
    rows = [("instrument", "probability", "sounds")]
    for each in prediction.instruments:
        spans = (f"{clock(start, decimals=1)}-{clock(end, decimals=1)}" for start, end in each.segments)
        rows.append((_named(each.name), f"{each.probability:.2f}", "  ".join(spans)))
    indent = sum(2 + max(map(len, column)) for column in list(zip(*rows, strict=True))[:2]) + 2
    columns = max(shutil.get_terminal_size((110, 24)).columns, indent + 20)
    wrap = textwrap.TextWrapper(columns, subsequent_indent=" " * indent, break_on_hyphens=False)
    return "\n".join([heading, *(wrap.fill(f"  {line}") for line in aligned(rows, right=(1,)))])


def evaluation_table(result: Mapping[str, Any]) -> str:
    """Lay out what `evaluation.evaluate_folder` found: a line a class, the means, and what was left out."""
    rows = [("class", "files", "precision", "recall", "F1")]
    for name, figures in result["per_class"].items():
        percentages = (f"{100 * figures[key]:.1f} %" for key in ("precision", "recall", "f1"))
        rows.append((name, str(figures["files"]), *percentages))
    means = (
        f"{result['files']} scored: top-1 {100 * result['top1']:.1f} %, "
        f"macro recall {100 * result['macro_recall']:.1f} %, macro F1 {100 * result['macro_f1']:.1f} %"
    )
    return "\n".join([*aligned(rows, right=(1, 2, 3, 4)), "", means, *_left_out(result["skipped"])])


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Pad columns to one width each, two spaces between; the columns named in `right` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _named(name: str) -> str:
    """Give a class as it is called; a General MIDI program's number says little, so its title comes behind."""
    return f"{name} {taxonomy.instrument(name).title}" if name in taxonomy.PROGRAMS else name


def _nothing(prediction: Prediction) -> str:
    strongest = prediction.timeline.max(axis=0)
    if not strongest.any():
        return "silent: nothing sounds"
    best = int(strongest.argmax())
    return f"nothing reaches its threshold; nearest: {_named(prediction.heard.classes[best])} {strongest[best]:.2f}"


def _left_out(skipped: Sequence[dict[str, str]]) -> Iterator[str]:
    """Tell of the files that were not scored, a line a reason."""
    files = defaultdict(list)
    for each in skipped:
        files[each["reason"]].append(each["file"])
    for reason, paths in files.items():
        yield f"left out: {paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {shown(reason)}"
