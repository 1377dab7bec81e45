"""Frozen scores, and what renders them."""

import json
from pathlib import Path

import pytest

from instrec.synthesis.rendering import Renderer
from tests.synthesis.rendering.clips import save


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two frozen scores with their noise, and an excerpt."""
    folder = tmp_path_factory.mktemp("frozen") / "data"
    for name, programs in (("solo/violin-000.mid", [40]), ("mixture/2-000-flute+piano.mid", [73, 0])):
        (folder / name).parent.mkdir(parents=True)
        save(folder / name, *programs)
    (folder / "excerpt").mkdir()
    save(folder / "excerpt/000-piano.mid", 0, 0, end=2.6)
    drawn = [{"effect": "distortion", "kind": "hard", "drive_db": 18.0}]
    spec = dict.fromkeys(("solo/violin-000.mid", "mixture/2-000-flute+piano.mid"), drawn)
    (folder / "noise.json").write_text(json.dumps(spec))
    return folder


@pytest.fixture
def render(small_params, data) -> Renderer:
    return Renderer(small_params, data)
