"""The card of the released model: what it is, learned, reaches and does not, written from facts gathered on release."""

from __future__ import annotations

from pathlib import Path

from instrec.tracking.model_card.facts import Facts, gather, read, save
from instrec.tracking.model_card.page import page
from instrec.util.files import written_whole

__all__ = ["Facts", "gather", "page", "read", "save", "write"]


def write(path: Path, facts: Facts) -> None:
    """Write the card as Markdown.

    Raises
    ------
    UserError
        If a SoundFont's license is unknown, or the file cannot be written.
    """
    text = page(facts)
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
