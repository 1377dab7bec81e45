"""The pipeline's stages and what they need, drawn from what `dvc dag` says: top to bottom, for narrow screens."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

from instrec.errors import UserError
from instrec.util import documents

PIPELINE = Path("dvc.yaml")

_WIDTH, _SIDE, _GAP, _LINE = 360, 44, 12, 13  # the drawing; room for lines beside the boxes; between boxes; of text
_BETWEEN = 26  # from row to row
_MOST = 2  # boxes side by side


@dataclass(frozen=True)
class Box:
    """A stage's place in the drawing, and its lines of text."""

    name: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]


def drawn() -> str:
    """Draw the pipeline of the current folder as SVG.

    Raises
    ------
    UserError
        If DVC is not there, or finds no pipeline.
    """
    command = [sys.executable, "-m", "dvc", "dag", "--dot"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    stages = re.findall(r'^"([^"]+)";$', done.stdout, re.MULTILINE)
    edges = re.findall(r'^"([^"]+)" -> "([^"]+)";$', done.stdout, re.MULTILINE)
    if done.returncode or not stages:
        said = " ".join(done.stderr.split())[-200:] or "no stages"
        raise UserError(
            "pipeline-missing", "", f"`dvc dag` found no pipeline ({said}); run this in the top folder of a clone"
        )
    return svg(stages, edges, _descriptions())


def svg(stages: Sequence[str], edges: Sequence[tuple[str, str]], descriptions: Mapping[str, str]) -> str:
    """Draw stages, each below all that it needs.

    Parameters
    ----------
    stages : names.
    edges : pairs of what is needed and what needs it.
    descriptions : a sentence for stages that have one.
    """
    rows = list(_rows(stages, edges))
    boxes, y = {}, 4.0
    for row in rows:
        width = (_WIDTH - 2 * _SIDE - _GAP * (len(row) - 1)) / len(row)
        texts = [textwrap.wrap(descriptions.get(name, ""), int(width / 5.4)) for name in row]
        height = 24 + _LINE * max(map(len, texts)) + (4 if any(texts) else 0)
        for place, (name, lines) in enumerate(zip(row, texts, strict=True)):
            boxes[name] = Box(name, _SIDE + place * (width + _GAP), y, width, height, tuple(lines))
        y += height + _BETWEEN
    level = {name: number for number, row in enumerate(rows) for name in row}
    lines = [_line(boxes[start], boxes[end], level[end] - level[start]) for start, end in edges]
    needs = {name: [start for start, end in edges if end == name] for name in stages}
    listed = "; ".join(f"{name} needs {', '.join(others)}" for name, others in needs.items() if others)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {y - _BETWEEN + 6:.0f}" role="img" aria-label="Pipeline: {escape(listed)}">'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L8 4L0 8z" class="head"/></marker></defs>'
        f"{''.join(lines)}{''.join(map(_box, boxes.values()))}</svg>"
    )


def _rows(stages: Sequence[str], edges: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    """Group stages by how many others stand before them in the longest chain, a few in a row."""
    sorter = TopologicalSorter({name: [start for start, end in edges if end == name] for name in stages})
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=list(stages).index)
        sorter.done(*ready)
        yield from (ready[start : start + _MOST] for start in range(0, len(ready), _MOST))


def _line(start: Box, end: Box, rows: int) -> str:
    """From box to box below; past the boxes between them where there are some, at the nearer side."""
    if rows <= 1:
        x1 = start.x + start.width / 2
        x2 = min(max(x1, end.x + 12), end.x + end.width - 12)
        y1, y2 = start.y + start.height, end.y - 1
        c1, c2 = (x1, y1 + 14), (x2, y2 - 14)
    else:
        left = start.x + start.width / 2 < _WIDTH / 2
        x1, x2 = (start.x, end.x - 1) if left else (start.x + start.width, end.x + end.width + 1)
        y1, y2 = start.y + start.height * 0.6, end.y + end.height * (0.25 + 0.1 * min(rows, 4))
        out = (14 + 9 * min(rows, 5)) * (-1 if left else 1)
        c1, c2 = (x1 + out, y1 + 10), (x2 + out, y2 - 10)
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in (c1, c2, (x2, y2)))
    title = f"<title>{escape(start.name)} → {escape(end.name)}</title>"
    return f'<path d="M{x1:.1f} {y1:.1f}C{points}" class="line" marker-end="url(#arrow)">{title}</path>'


def _box(box: Box) -> str:
    middle = box.x + box.width / 2
    first = box.y + (17 if box.lines else box.height / 2 + 4)
    placed = [("name", first, box.name)]
    placed += [("what", box.y + 33 + _LINE * number, line) for number, line in enumerate(box.lines)]
    texts = (f'<text x="{middle:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>' for kind, y, text in placed)
    corner = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect {corner} rx="6" class="box"/>{"".join(texts)}'


def _descriptions() -> dict[str, str]:
    """Return the stages' own words on what they do."""
    try:
        stages = documents.load_yaml(PIPELINE)["stages"]
        return {name: stage["desc"] for name, stage in stages.items() if "desc" in stage}
    except (UserError, KeyError, TypeError, AttributeError):
        return {}  # DVC read it well: stages in other files, for example, whose words are not needed
