"""Charts of small tables: what they say, and that many classes stay readable."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from instrec.evaluation import figures
from instrec.tracking.report import charts
from tests.plot_tables import confused_programs, f1, write_table
from tests.refusals import refused


def letters(svg: str) -> list[str]:
    """All that is written in a drawing, which is well-formed."""
    return [
        "".join(each.itertext()).strip() for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text")
    ]


def test_a_confusion_of_128_programs_is_a_small_drawing():
    chart = figures.confusion(confused_programs(), "x")
    svg = charts.svg(chart)
    families = {word for word in letters(svg) if word not in ("predicted as", "actual class")}
    assert len(families) == 16
    assert {"Piano", "Brass", "Sound Effects"} <= families
    assert len(svg) < 60_000


@pytest.mark.parametrize("epochs", [1, 3])
def test_learning_curves_are_those_that_the_task_has(tmp_path, epochs):
    rows = [{"epoch": 1 + epoch, "loss": 2.0, "val_loss": 3.0 - epoch} for epoch in range(epochs)]
    write_table(tmp_path / "history.csv", rows)
    (loss,) = charts.learning_curves(tmp_path / "history.csv")
    assert loss.title == "Loss"
    assert (
        loss.caption
        == f"After {epochs} epoch{'s'[: epochs - 1]} 2.000 on training data, {4 - epochs:.3f} on validation data."
    )
    assert {"training", "validation", "epoch"} <= set(letters(charts.svg(loss)))


def test_colours_are_the_page_s_and_ids_the_chart_s_own():
    first, second = (charts.svg(figures.f1_by_class(f1(["flute", "violin"]), name)) for name in ("a", "b"))
    assert figures.INK not in first
    assert figures.BLUE not in first
    assert "var(--ink)" in first
    ids = [{each.get("id") for each in ElementTree.fromstring(svg).iter() if each.get("id")} for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert charts.svg(figures.f1_by_class(f1(["flute", "violin"]), "a")) == first


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
    write_table(tmp_path / "sweep_valid.csv", [dict(zip(names, row, strict=True)) for row in swept])
    row = {"class": "double_bass", "threshold": "0.4", "precision": "0.5", "recall": "0.6", "f1": "0.7", "clips": "9"}
    write_table(tmp_path / "thresholds.csv", [row])
    chart, own = charts.thresholds(tmp_path)
    assert "0.700, at 0.30" in chart.caption
    assert own == [("double bass", 0.4, 0.5, 0.6, 0.7, 9)]


@pytest.mark.parametrize("content", ["{}", "stages: 3", "stages: [1]"])
def test_a_pipeline_without_stages_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    charts.PIPELINE.write_text(content)
    with refused("pipeline-missing", charts.PIPELINE, "top folder"):
        charts.stages()
