"""Jinja templates of the pages: of `instrec serve` and of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

LOOKS = "page.css"


def templates(*packages: str) -> Environment:
    """Return the templates that lie in packages."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(package, ".") for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def source(known: Environment, name: str) -> str:
    """Return a file beside the templates as it is."""
    assert known.loader
    return known.loader.get_source(known, name)[0]
