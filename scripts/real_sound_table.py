"""Write the table of docs/real-sound.md from docs/real-sound.csv: `python scripts/real_sound_table.py`."""

from __future__ import annotations

import csv
from pathlib import Path

from instrec.util.text import markdown

PAGE = Path(__file__).parents[1] / "docs/real-sound.md"
MARK = "<!-- scripts/real_sound_table.py writes what follows. -->\n"
METRICS = {
    "recordings_top1": "recordings top-1",
    "recordings_macro_recall": "recordings macro recall",
    "recordings_white_noise": "recordings, white noise",
    "unseen_solo": "unseen solo",
    "unseen_solo_noisy": "unseen solo, noisy",
    "unseen_mixtures": "unseen mixtures",
    "unseen_count": "unseen count",
    "unseen_pieces": "unseen pieces",
    "seen_mixtures": "seen mixtures",
}


def table(rows: list[dict[str, str]]) -> str:
    """Lay the experiments out as Markdown: one table per series, without the columns that it did not measure."""
    parts = []
    for series in dict.fromkeys(row["series"] for row in rows):
        own = [row for row in rows if row["series"] == series]
        shown = [metric for metric in METRICS if any(row[metric] for row in own)]
        heading = ["experiment", *(["commit"] if any(row["commit"] for row in own) else [])]
        lines = []
        for row in own:
            options = f" (`{row['options']}`)" if row["options"] else ""
            values = (_shown(row[metric], leaked=row["leaked"] and metric.startswith("unseen")) for metric in shown)
            lines.append([row["experiment"] + options, *(row[name] for name in heading[1:]), *values])
        titles = [*heading, *(METRICS[metric] for metric in shown)]
        parts.append(f"### {series.capitalize()}\n\n{markdown(titles, lines)}\n")
    return "\n".join(parts)


def _shown(value: str, *, leaked: bool | str) -> str:
    return f"({value})" if value and leaked else value or "-"


def main() -> None:
    """Replace what stands behind the mark."""
    with PAGE.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(MARK)] + MARK + "\n" + table(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
