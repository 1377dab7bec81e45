"""The documentation site builds strictly, holds every page, and loads nothing from the network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_it_has_every_page(site: Path) -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"index", "contributing", "changelog"}
    assert pages <= {path.stem for path in site.glob("*.html")}


def test_links_between_pages_lead_to_pages(site: Path) -> None:
    """Also those that README.md has into docs/, and docs/ back."""
    for page in site.glob("[!4]*.html"):
        for link in re.findall(r'href="([^"#:]+\.\w+)[#"]', page.read_text(encoding="utf-8")):
            assert (site / link).exists(), (page.name, link)
    assert 'href="fine-tuning.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_it_loads_nothing_from_the_network(site: Path) -> None:
    for page in site.glob("[!4]*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)[^>]* (?:src|href)="(https?:[^"]+)"', page.read_text(encoding="utf-8")
        )
        assert loaded == [], page.name


def test_the_reference_holds_signatures_and_docstrings(site: Path) -> None:
    page = (site / "reference.html").read_text(encoding="utf-8")
    assert 'id="instrec.evaluation.metrics.lrap"' in page
    assert "Label ranking average precision" in page
