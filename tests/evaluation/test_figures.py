"""Charts of test sets' tables: what they say, and that many classes stay readable."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from instrec.errors import UserError
from instrec.evaluation import figures
from tests.plot_tables import PROGRAMS, confused_programs, confusions, f1, write_table


def letters(chart):
    """All that is written in a drawing."""
    chart.figure.draw_without_rendering()
    return [text.get_text() for text in chart.figure.findobj(Text) if text.get_text() and text.get_visible()]


def test_confusion_counts_and_names_the_most_frequent():
    pairs = [("violin", "flute")] * 3 + [("violin", "violin")] * 4 + [("double_bass", "violin")] + [("flute", "flute")]
    chart = figures.confusion(confusions(*pairs), "x")
    assert chart.caption == "Most often confused: violin as flute (3 of 7); double bass as violin (1 of 1)."
    written = letters(chart)
    assert written.count("double bass") == 2
    assert sorted(text for text in written if text.isdigit()) == ["1", "1", "3", "4"]


def test_no_confusion_is_said():
    assert figures.confusion(confusions(("flute", "flute")), "x").caption == "No clip is confused."


def test_128_programs_are_confused_readably():
    chart = figures.confusion(confused_programs(), "x")
    assert {"predicted as", "actual class", "Piano", "Sound Effects"} < set(letters(chart))
    assert "Bright Acoustic Piano as Acoustic Grand Piano (3 of 3)" in chart.caption


def test_f1_shows_every_class_the_weakest_first():
    chart = figures.f1_by_class(f1(["violin", "flute", "drums"]), "x")
    assert [text for text in letters(chart) if text.isalpha()] == ["drums", "flute", "violin"]
    assert chart.caption == "From drums, 0.10, to violin, 0.90."


def test_of_128_programs_the_weakest_are_shown():
    chart = figures.f1_by_class(f1(PROGRAMS), "x")
    named = [text for text in letters(chart) if text[0].isalpha() and text != "F1, with 95 % interval"]
    assert len(named) == figures.WEAKEST
    assert named[0] == "Gunshot"
    assert "the weakest 24 of 128 classes" in chart.caption


def test_f1_without_intervals_is_drawn_as_well():
    """A base of before there were any."""
    assert "flute" in letters(figures.f1_by_class([{"class": "flute", "f1": "0.5"}], "x"))


def test_calibration_tells_counts_and_distance():
    names = ("predicted", "observed", "low", "high", "decisions")
    rows = [
        dict(zip(names, row, strict=True))
        for row in (("0.1", "0.2", "0.1", "0.3", "90"), ("0.9", "0.6", "0.2", "0.9", "10"))
    ]
    assert figures.calibration(rows, "x").caption.endswith("100 decisions. Mean distance from the diagonal 0.120.")


def test_charts_of_a_set_are_those_that_it_has(tmp_path):
    write_table(tmp_path / "confusion_a.csv", confusions(("flute", "flute")))
    write_table(tmp_path / "f1_a.csv", f1(["flute"]))
    write_table(tmp_path / "f1_b.csv", f1(["flute"]))
    found = figures.of_sets(tmp_path, ["b", "a", "c"])
    assert {name: [each.title.split()[0] for each in own] for name, own in found.items()} == {
        "b": ["F1"],
        "a": ["Confusion", "F1"],
    }


def test_sets_without_tables_and_other_files_are_left_out(tmp_path):
    assert figures.of_sets(tmp_path / "nowhere", ["a"]) == {}
    (tmp_path / "sweep_valid.csv").write_text("threshold,f1\n")
    assert figures.of_sets(tmp_path, ["a"]) == {}


def test_a_damaged_table_is_an_error(tmp_path):
    (tmp_path / "f1_a.csv").write_text("class,f1\nviolin,much\n")
    with pytest.raises(UserError, match=r"f1_a.csv: cannot be read"):
        figures.of_sets(tmp_path, ["a"])


def test_sweeps_tell_their_best_thresholds():
    swept = [{"threshold": "0.0", "f1": "0.2", "macro_f1": "0.3"}, {"threshold": "0.3", "f1": "0.7", "macro_f1": "0.1"}]
    chart = figures.sweep(swept, "x")
    assert "micro F1 0.700 at 0.30, macro F1 0.300 at 0.00" in chart.caption
    of_classes = [{"threshold": str(place / 10), "flute": "0.5", "double_bass": str(place / 10)} for place in range(4)]
    chart = figures.class_sweep(of_classes, "x")
    assert "macro F1 0.400" in chart.caption
    assert {"flute", "double bass", "threshold"} <= set(letters(chart))


def test_128_programs_are_swept_readably():
    chart = figures.class_sweep([dict.fromkeys(("threshold", *PROGRAMS), "0.0")], "x")
    assert not {"Gunshot", "Violin"} & set(letters(chart))
