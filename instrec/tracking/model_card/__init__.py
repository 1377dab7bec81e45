"""The card of the released model: its data, metrics and limits, from facts gathered on release."""

from __future__ import annotations

from pathlib import Path

from instrec.models.released import RELEASED
from instrec.tracking.model_card.facts import Facts, gather, read, save
from instrec.tracking.model_card.page import page
from instrec.util import documents
from instrec.util.files import written_whole

__all__ = ["Facts", "card_of", "gather", "page", "read", "save", "write"]


def card_of(name: str) -> Path:
    """Return the page of a released model."""
    return Path("docs") / ("model_card.md" if name == RELEASED.stem else f"model_card_{name}.md")


def write(path: Path, facts: Path) -> None:
    """Write the card as Markdown, from the facts in a file.

    Raises
    ------
    UserError
        If the facts are missing or damaged, a SoundFont's license is unknown, or the file cannot be written.
    """
    with documents.expected(facts, "`make release` writes it"):
        text = page(read(facts))
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
