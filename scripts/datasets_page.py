"""Write the part of docs/datasets.md about each dataset from its loader: `python scripts/datasets_page.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from instrec.corpus.published import CORPORA
from instrec.corpus.published.base import Corpus
from instrec.util.text import markdown

PAGE = Path(__file__).parents[1] / "docs/datasets.md"
MARK = "<!-- scripts/datasets_page.py writes what follows. -->\n"


def sections(corpora: Mapping[str, Corpus]) -> str:
    """Return a table of all datasets, and a section for each."""
    rows = [
        [
            f"[{each.name}](#{each.name})",
            each.title,
            f"{each.gigabytes:g}" if each.gigabytes else "what you place",
            "yes" if each.partitioned else "no",
            "downloaded" if each.checked else "by hand",
        ]
        for each in corpora.values()
    ]
    overview = markdown(["name", "dataset", "disk, GB", "own partition", "how to get it"], rows)
    return "\n\n".join([f"## All datasets\n\n{overview}", *map(_section, corpora.values())]) + "\n"


def _section(corpus: Corpus) -> str:
    address = f". <{corpus.url}>" if corpus.url.startswith("http") else f" ({corpus.url})."
    facts = {"License": corpus.license, "Cite": corpus.citation, "Groups": corpus.groups, "How to get it": corpus.how}
    by_class = {name: [label for label, meant in corpus.labels.items() if meant == name] for name in corpus.classes}
    if all(labels == [name] for name, labels in by_class.items()):
        known = _filled(f"Folders are named like the classes: {', '.join(f'`{name}`' for name in by_class)}.")
    else:
        known = markdown(
            ["class", "labels"],
            ([name, ", ".join(f"`{label}`" for label in labels)] for name, labels in by_class.items()),
        )
    return "\n\n".join(
        [
            f"## {corpus.name}",
            f"{corpus.title}{address}",
            "\n".join(f"- {key}: {value}" for key, value in facts.items()),
            _filled(corpus.notes),
            known,
        ]
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """Replace what stands behind the mark."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(MARK)] + MARK + "\n" + sections(CORPORA), encoding="utf-8")


if __name__ == "__main__":
    main()
