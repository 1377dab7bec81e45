"""The drawn pipeline."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from instrec.tracking.report import graph
from tests.refusals import refused

EDGES = [("a", "b"), ("data.dvc", "b"), ("b", "c"), ("a", "c"), ("b", "d"), ("c", "d")]


def boxes(svg: str) -> dict[str, tuple[float, float, float]]:
    """Left edge, top and bottom of each stage's box."""
    tree = ElementTree.fromstring(svg)
    names = [each.text for each in tree.iter("text") if each.get("class") == "name"]
    places = [[float(each.get(key)) for key in ("x", "y", "height")] for each in tree.iter("rect")]
    return {name: (x, y, y + height) for name, (x, y, height) in zip(names, places, strict=True)}


def test_a_stage_stands_below_all_that_it_needs():
    found = boxes(graph.svg(["d", "c", "b", "a", "data.dvc"], EDGES, {"c": "Does " + "much " * 30}))
    assert set(found) == {"a", "b", "c", "d", "data.dvc"}
    for start, end in EDGES:
        assert found[start][2] < found[end][1]
    assert found["a"][1] == found["data.dvc"][1]
    assert found["a"][0] != found["data.dvc"][0]
    assert found["c"][2] - found["c"][1] > found["b"][2] - found["b"][1]  # room for what it does


def test_every_edge_is_drawn_within_the_picture():
    svg = graph.svg(["a", "b", "c", "d", "data.dvc"], EDGES, {})
    assert svg.count('class="line"') == len(EDGES)
    for path in re.findall(r' d="M([^"]+)" class="line"', svg):
        across = [float(x) for x in re.findall(r"-?[\d.]+", path)[::2]]
        assert 0 <= min(across) <= max(across) <= 360


def test_many_stages_side_by_side_take_several_rows():
    found = boxes(graph.svg([f"s{number}" for number in range(5)], [], {}))
    assert len({top for _, top, _ in found.values()}) == 3


def test_names_and_words_are_escaped():
    assert "<script>" not in graph.svg(["<script>", "b"], [("<script>", "b")], {"b": "<script>"})


def test_what_dvc_says_is_drawn(project):
    svg = graph.drawn()
    found = boxes(svg)
    assert list(found) == ["render", "train", "evaluate"]
    assert found["render"][2] < found["train"][1] < found["evaluate"][1]
    assert svg.count('class="line"') == 3
    assert "Make &lt;sound&gt;." in svg


def test_outside_of_a_pipeline_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused("pipeline-missing", "", "`dvc dag`"):
        graph.drawn()
