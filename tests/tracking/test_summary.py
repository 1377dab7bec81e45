"""The table that `make repro` ends with."""

from __future__ import annotations

import json

import pytest

from instrec.tracking import summary
from tests.refusals import refused

SOLO = {"clips": 450, "top1": 0.7123, "macro_f1": 0.6543, "intervals": {"top1": [0.6, 0.8]}}
MIXTURES = {"micro_f1": 0.61, "macro_f1": 0.5, "count_accuracy": 0.64, "exact_set": 0.3, "lrap": 0.8}


@pytest.fixture
def metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    return tmp_path / "metrics" / "test.json"


def test_a_set_a_line_in_straight_columns(metrics, capsys):
    metrics.write_text(json.dumps({"unseen_clean": {"solo": SOLO, "mixtures": MIXTURES}, "recordings": {"solo": SOLO}}))
    summary.main()
    kinds, titles, unseen, recordings, *further = capsys.readouterr().out.splitlines()
    assert unseen.split() == ["unseen_clean", "0.712", "0.654", "0.610", "0.500", "0.640", "0.300", "0.800"]
    assert recordings.split() == ["recordings", "0.712", "0.654", "-", "-", "-", "-", "-"]
    assert len({len(line) for line in (kinds, titles, unseen, recordings)}) == 1
    assert "dvc plots show" in " ".join(further)


def test_a_column_that_no_set_fills_is_left_out(metrics, capsys):
    metrics.write_text(json.dumps({"recordings": {"solo": SOLO}}))
    summary.main()
    kinds, titles, recordings, *_ = capsys.readouterr().out.splitlines()
    assert kinds.split() == ["solo", "solo"]
    assert titles.split() == ["test", "set", "top-1", "macro", "F1"]
    assert recordings.split() == ["recordings", "0.712", "0.654"]


def test_excerpts_have_a_table_of_protocols(metrics, capsys):
    figures = {"micro_f1": 0.6, "macro_f1": 0.5, "micro_precision": 0.7}
    figures |= {"macro_precision": 0.4, "micro_recall": 0.3, "macro_recall": 0.2}
    excerpts = {"clips": 8, **figures, "intervals": {}, "s2_global": {"clips": 4, **figures, "threshold": 0.3}}
    metrics.write_text(json.dumps({"unseen_clean": {"solo": SOLO}, "irmas": {"excerpts": excerpts}}))
    summary.main()
    first, second, _ = capsys.readouterr().out.replace("Intervals", "\n\nIntervals").split("\n\n")[:3]
    assert "irmas" not in first
    title, own, swept = second.strip().splitlines()
    assert title.split()[:3] == ["excerpts", "protocol", "files"]
    shares = ["0.700", "0.300", "0.600", "0.400", "0.200", "0.500"]
    assert own.split() == ["irmas", "own", "thresholds", "8", *shares]
    assert swept.split() == ["irmas", "s2_global", "4", *shares]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[1]",
        '{"seen_clean": 3}',
        '{"irmas": {"excerpts": {"clips": 3}}}',
        '{"seen_clean": {"solo": {"top1": "x"}}}',
    ],
)
def test_without_metrics_it_says_how_to_get_them(metrics, content):
    if content is not None:
        metrics.write_text(content)
    with refused("document-unreadable", "metrics/test.json", "`dvc repro`"):
        summary.main()
