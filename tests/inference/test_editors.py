"""What editors open, read back: by the library that knows the format, by a browser, or by the format's own rules."""

import csv
import io
import re
from xml.etree import ElementTree

import pytest
from pympi.Praat import TextGrid

from instrec.inference import editors
from instrec.inference.whole_file import Sounding

LATE = 3723.5  # 1:02:03.5
INSTRUMENTS = (
    Sounding("electric_guitar", 0.9, ((0.0, 3.0), (5.0, LATE)), 1.0),
    Sounding("flute", 0.8, ((2.0, 8.1),), 0.002),
)
SECONDS = LATE
LABELS = [("electric guitar", 0.0, 3.0), ("flute", 2.0, 8.1), ("electric guitar", 5.0, LATE)]


def test_an_audacity_label_is_start_end_and_text_between_tabs():
    rows = [line.split("\t") for line in editors.audacity(INSTRUMENTS).splitlines()]
    assert [(text, float(start), float(end)) for start, end, text in rows] == LABELS


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_reaper_regions_are_numbered_and_have_a_length():
    rows = list(csv.DictReader(io.StringIO(editors.reaper(INSTRUMENTS))))
    assert [row["#"] for row in rows] == ["R1", "R2", "R3"]
    assert [(row["Name"], seconds(row["Start"]), seconds(row["End"])) for row in rows] == LABELS
    assert [seconds(row["Length"]) for row in rows] == [pytest.approx(end - start) for _, start, end in LABELS]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", row[name]) for row in rows for name in ("Start", "End", "Length"))


CUES = """
(text) => new Promise((resolve, reject) => {
  const track = document.createElement("track");
  const read = () => [...track.track.cues].map((cue) => [cue.text, cue.startTime, cue.endTime]);
  track.addEventListener("load", () => resolve(read()));
  track.addEventListener("error", () => reject(new Error("not a track")));
  track.src = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
  document.createElement("video").append(track);
  track.track.mode = "showing";
})
"""


def test_a_browser_reads_the_webvtt_track(browser):
    tab = browser.new_page()
    cues = tab.evaluate(CUES, editors.webvtt(INSTRUMENTS))
    assert [tuple(cue) for cue in cues] == LABELS
    assert tab.evaluate(CUES, editors.webvtt(())) == []
    tab.close()


@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_sonic_visualiser_layer_counts_samples_of_the_file(rate):
    """What its reader asks for: a layer of a model, whose dataset holds the points."""
    root = ElementTree.fromstring(editors.sonic_visualiser(INSTRUMENTS, seconds=SECONDS, sample_rate=rate))
    (layer,), (model,) = root.findall("display/layer"), root.findall("data/model")
    assert (layer.get("type"), layer.get("model")) == ("regions", model.get("id"))
    assert (model.get("type"), model.get("subtype"), model.get("dimensions")) == ("sparse", "region", "3")
    assert (model.get("sampleRate"), model.get("end")) == (str(rate), str(round(SECONDS * rate)))
    (dataset,) = (each for each in root.findall("data/dataset") if each.get("id") == model.get("dataset"))
    points = [{name: each.get(name) for name in ("label", "frame", "duration", "value")} for each in dataset]
    spans = [(point["label"], int(point["frame"]), int(point["frame"]) + int(point["duration"])) for point in points]
    assert spans == [(title, round(start * rate), round(end * rate)) for title, start, end in LABELS]
    assert [point["value"] for point in points] == ["1", "2", "1"]


def tiers(text: str, tmp_path) -> dict[str, list[tuple[float, float, str]]]:
    (tmp_path / "song.TextGrid").write_text(text, encoding="utf-8")
    grid = TextGrid(tmp_path / "song.TextGrid")
    assert (grid.xmin, grid.xmax) == (0, SECONDS)
    return {tier.name: [each for each in tier.get_intervals(sort=True) if each[2]] for tier in grid.get_tiers()}


def test_a_text_grid_has_a_tier_per_instrument(tmp_path):
    assert tiers(editors.text_grid(INSTRUMENTS, seconds=SECONDS), tmp_path) == {
        name: [(start, end, title) for title, start, end in LABELS if title == name]
        for name in ("electric guitar", "flute")
    }
    assert tiers(editors.text_grid((), seconds=SECONDS), tmp_path) == {"nothing": []}


def test_nothing_is_written_of_nothing():
    assert editors.audacity(()) == ""
    assert list(csv.DictReader(io.StringIO(editors.reaper(())))) == []
    layer = ElementTree.fromstring(editors.sonic_visualiser((), seconds=1, sample_rate=8000))
    assert layer.findall("data/dataset/point") == []
