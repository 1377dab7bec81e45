"""Write the table of README.md from the metrics of both models: `python scripts/readme_table.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instrec.util import documents
from instrec.util.text import markdown

ROOT = Path(__file__).parents[1]
BEGIN = "<!-- scripts/readme_table.py writes this table. -->\n"
END = "<!-- End of the table. -->\n"
HEADING = ["test set", "default: top-1", "default: micro F1", "released: top-1", "released: micro F1"]
SETS = {
    "seen_clean": "`seen_clean`",
    "seen_noisy": "`seen_noisy`",
    "unseen_clean": "`unseen_clean`",
    "unseen_noisy": "`unseen_noisy`",
    "unseen_excerpts": "`unseen_excerpts`: pieces of 5 to 20 s",
}


def table(metrics: Mapping[str, Any], released: Mapping[str, Any]) -> str:
    """Lay out both models, a test set per row; a dash where a set has no such metric."""
    rows = []
    for name, title in SETS.items():
        rows.append([title, *_pair(metrics.get(name, {})), *_pair(released["scores"].get(name, {}))])
    for each in released["recordings"]:
        micro = None if "top1" in each else each.get("micro_f1")
        rows.append([f"recorded {each['name']}", "-", "-", _shown(each.get("top1")), _shown(micro)])
    return markdown(HEADING, rows) + "\n"


def _pair(parts: Mapping[str, Any]) -> list[str]:
    mixed = parts.get("mixtures") or parts.get("excerpts") or {}
    return [_shown(parts.get("solo", {}).get("top1")), _shown(mixed.get("micro_f1"))]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def page(text: str) -> str:
    """Return README.md with the table of the current metrics."""
    metrics = documents.load_json(ROOT / "metrics/test.json")
    released = documents.load_json(ROOT / "released/classifier.json")
    head, rest = text.split(BEGIN)
    return head + BEGIN + "\n" + table(metrics, released) + "\n" + END + rest.split(END)[1]


def main() -> None:
    """Replace the table."""
    readme = ROOT / "README.md"
    readme.write_text(page(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
