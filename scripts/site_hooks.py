"""Hooks of mkdocs.yml: pages from outside docs/, and links that lead out of the site."""

from __future__ import annotations

import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that lie at the root of the repository."""
    for name, page in OUTSIDE.items():
        files.append(File(page, config.docs_dir, config.site_dir, use_directory_urls=False))
        files.get_file_from_path(page).abs_src_path = posixpath.join(posixpath.dirname(config.docs_dir), name)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to the pages of the site; leave only the text of links to other files of the repository."""
    root = posixpath.dirname(config.docs_dir)
    folder = posixpath.dirname(page.file.abs_src_path)

    def pointed(match: re.Match[str]) -> str:
        image, text, link = match.groups()
        path, _, heading = link.partition("#")
        if not path or "://" in link:
            return match[0]
        name = posixpath.relpath(posixpath.join(folder, path), root)
        target = OUTSIDE.get(name, name.removeprefix("docs/"))
        if files.get_file_from_path(target) is None:
            return text
        return f"{image}[{text}]({target}{'#' if heading else ''}{heading})"

    return LINK.sub(pointed, markdown)
