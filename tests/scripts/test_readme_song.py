"""The song of the pages is named as they show it."""

import re
import sys

import pytest

import instrec
from tests.scripts.test_pages import ROOT, loaded

ROW = re.compile(r"^ {6}(\w+) +(\d+)% +(\d\.\d\d)  ", re.MULTILINE)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    song = tmp_path_factory.mktemp("song") / "song.wav"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["readme_song.py", str(song)])
        loaded("readme_song").main()
    return instrec.predict(song, model=ROOT / "released/classifier.keras").instruments


@pytest.mark.parametrize("page", ["README.md", "docs/predict.md"])
def test_the_song_is_named_as_shown(found, page):
    shown = (ROOT / page).read_text(encoding="utf-8").partition("$ instrec predict song.wav")[2].partition("\n\n")[0]
    rows = ROW.findall(shown)
    assert [name for name, _, _ in rows] == [each.name for each in found]
    for (_, percent, probability), each in zip(rows, found, strict=True):
        assert int(percent) == pytest.approx(100 * each.share, abs=2)
        assert float(probability) == pytest.approx(each.probability, abs=0.02)
