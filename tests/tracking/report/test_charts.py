"""Charts of small tables: what they say, and that many classes stay readable."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from instrec.tracking.report import charts
from tests.refusals import refused

PROGRAMS = [f"gm_{program:03}" for program in range(128)]


def letters(svg: str) -> list[str]:
    """All that is written in a drawing, which is well-formed."""
    return [
        "".join(each.itertext()).strip() for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text")
    ]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def confusions(*pairs):
    return [{"actual": actual, "predicted": predicted} for actual, predicted in pairs]


def f1(classes):
    values = np.linspace(0.9, 0.1, len(classes))
    return [
        {"class": name, "f1": f"{value:.4f}", "low": f"{value - 0.05:.4f}", "high": f"{value + 0.05:.4f}", "clips": "9"}
        for name, value in zip(classes, values, strict=True)
    ]


def test_confusion_counts_and_names_the_most_frequent():
    pairs = [("violin", "flute")] * 3 + [("violin", "violin")] * 4 + [("double_bass", "violin")] + [("flute", "flute")]
    chart = charts.confusion(confusions(*pairs), "x")
    assert chart.caption == "Most often confused: violin as flute (3 of 7); double bass as violin (1 of 1)."
    written = letters(chart.svg)
    assert written.count("double bass") == 2
    assert sorted(text for text in written if text.isdigit()) == ["1", "1", "3", "4"]


def test_no_confusion_is_said():
    assert charts.confusion(confusions(("flute", "flute")), "x").caption == "No clip is confused."


def test_128_programs_are_confused_readably():
    pairs = [(name, PROGRAMS[number - number % 8]) for number, name in enumerate(PROGRAMS) for _ in range(3)]
    chart = charts.confusion(confusions(*pairs), "x")
    assert set(letters(chart.svg)) == {"heard as", "actual class"}
    assert "Bright Acoustic Piano as Acoustic Grand Piano (3 of 3)" in chart.caption
    assert len(chart.svg) < 60_000


def test_f1_shows_every_class_the_weakest_first():
    chart = charts.f1_by_class(f1(["violin", "flute", "drums"]), "x")
    assert [text for text in letters(chart.svg) if text.isalpha()] == ["drums", "flute", "violin"]
    assert chart.caption == "From drums, 0.10, to violin, 0.90."


def test_of_128_programs_the_weakest_are_shown():
    chart = charts.f1_by_class(f1(PROGRAMS), "x")
    named = [text for text in letters(chart.svg) if text[0].isalpha() and text != "F1, with 95 % interval"]
    assert len(named) == charts.WEAKEST
    assert named[0] == "Gunshot"
    assert "the weakest 24 of 128 classes" in chart.caption


def test_f1_without_intervals_is_drawn_as_well():
    """A base of before there were any."""
    assert "flute" in letters(charts.f1_by_class([{"class": "flute", "f1": "0.5"}], "x").svg)


def test_calibration_tells_counts_and_distance():
    names = ("predicted", "observed", "low", "high", "decisions")
    rows = [
        dict(zip(names, row, strict=True))
        for row in (("0.1", "0.2", "0.1", "0.3", "90"), ("0.9", "0.6", "0.2", "0.9", "10"))
    ]
    assert charts.calibration(rows, "x").caption.endswith("100 decisions. Mean distance from the diagonal 0.120.")


@pytest.mark.parametrize("epochs", [1, 3])
def test_learning_curves_are_those_that_the_task_has(tmp_path, epochs):
    rows = [{"epoch": 1 + epoch, "loss": 2.0, "val_loss": 3.0 - epoch} for epoch in range(epochs)]
    write(tmp_path / "history.csv", rows)
    (loss,) = charts.learning_curves(tmp_path / "history.csv")
    assert loss.title == "Loss"
    assert (
        loss.caption
        == f"After {epochs} epoch{'s'[: epochs - 1]} 2.000 on training data, {4 - epochs:.3f} on validation data."
    )
    assert {"training", "validation", "epoch"} <= set(letters(loss.svg))


def test_charts_of_a_set_are_those_that_it_has(tmp_path):
    write(tmp_path / "confusion_a.csv", confusions(("flute", "flute")))
    write(tmp_path / "f1_a.csv", f1(["flute"]))
    write(tmp_path / "f1_b.csv", f1(["flute"]))
    found = charts.of_sets(tmp_path, ["b", "a", "c"])
    assert {name: [each.title.split()[0] for each in own] for name, own in found.items()} == {
        "b": ["F1"],
        "a": ["Confusion", "F1"],
    }


def test_colours_are_the_page_s_and_ids_the_chart_s_own():
    first, second = (charts.f1_by_class(f1(["flute", "violin"]), name).svg for name in ("a", "b"))
    assert "#0" not in first
    assert "var(--ink)" in first
    ids = [{each.get("id") for each in ElementTree.fromstring(svg).iter() if each.get("id")} for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert charts.f1_by_class(f1(["flute", "violin"]), "a").svg == first


@pytest.mark.parametrize("content", [None, "", "epoch,loss\n"])
def test_a_table_that_cannot_be_read_is_told_of(tmp_path, content):
    if content is not None:
        (tmp_path / "history.csv").write_text(content)
    with refused("table-invalid", tmp_path / "history.csv", "`dvc repro`"):
        charts.learning_curves(tmp_path / "history.csv")


@pytest.mark.parametrize("content", ["epoch,loss,val_loss\n1,two,3\n", "epoch,loss,val_loss\n1,2\n"])
def test_a_table_with_other_than_numbers_is_told_of(tmp_path, content):
    (tmp_path / "history.csv").write_text(content)
    with refused("table-invalid", tmp_path / "history.csv", "`dvc repro`"):
        charts.learning_curves(tmp_path / "history.csv")


def test_thresholds_mark_the_best_one_for_all(tmp_path):
    names = ("threshold", "precision", "recall", "f1")
    swept = (("0.0", "0.1", "1.0", "0.2"), ("0.3", "0.6", "0.8", "0.7"), ("0.6", "0.9", "0.3", "0.5"))
    write(tmp_path / "sweep_valid.csv", [dict(zip(names, row, strict=True)) for row in swept])
    row = {"class": "double_bass", "threshold": "0.4", "precision": "0.5", "recall": "0.6", "f1": "0.7", "clips": "9"}
    write(tmp_path / "thresholds.csv", [row])
    chart, own = charts.thresholds(tmp_path)
    assert "0.700, at 0.30" in chart.caption
    assert own == [("double bass", 0.4, 0.5, 0.6, 0.7, 9)]
