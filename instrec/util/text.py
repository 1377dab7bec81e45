"""Plain text: times, and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def clock(seconds: float, *, decimals: int = 0) -> str:
    """Write a time in minutes and seconds, or with hours.

    >>> clock(7), clock(754), clock(3723), clock(59.96, decimals=1)
    ('0:07', '12:34', '1:02:03', '1:00.0')
    """
    # Rounded first, so that 59.96 becomes 1:00.0 and not 0:60.0.
    minutes, rest = divmod(round(seconds, decimals), 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Pad columns to the same width, two spaces apart; columns in `right` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown(titles: Sequence[str], rows: Iterable[Iterable[str]], *, right: Collection[str] = ()) -> str:
    """Write a table as Markdown; columns with a title in `right` are aligned to the right."""
    rule = ["---:" if title in right else "---" for title in titles]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows))
