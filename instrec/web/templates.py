"""Jinja templates of the pages: of `instrec serve`, the report and the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

LOOKS = "page.css"


def templates(*packages: str, escaped: bool = True) -> Environment:
    """Return the templates that lie in packages; what is filled in is escaped for HTML by default."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(package, ".") for package in packages]),
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
    )


def source(known: Environment, name: str) -> str:
    """Return a file beside the templates as it is."""
    assert known.loader
    return known.loader.get_source(known, name)[0]
