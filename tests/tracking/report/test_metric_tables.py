"""Figures of metrics/test.json, laid out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instrec.tracking.report import metric_tables


def test_headlines_come_first_and_nothing_is_left_out(project):
    tree = json.loads(Path("metrics/test.json").read_text())
    found = {each.name: each for each in metric_tables.read()}
    assert found.keys() == tree.keys()
    for name, parts in tree.items():
        for kind in found[name].kinds:
            figures = parts[kind.name]
            assert kind.clips == figures["clips"]
            shown = {each.title: [each.value, each.low, each.high] for each in (*kind.headlines, *kind.others)}
            wanted = {
                metric_tables.title(key): [figures[key], *figures["intervals"][key]] for key in figures["intervals"]
            }
            assert shown == wanted
    assert [each.title for each in found["unseen_clean"].kinds[0].headlines] == ["top-1", "macro F1"]


def test_a_loss_is_no_share(project):
    shares = {each.title: each.share for own in metric_tables.read() for each in own.kinds[0].others}
    assert [title for title, share in shares.items() if not share] == ["loss (less is better)"]


def test_excerpts_have_their_protocols(project):
    found = {each.name: each for each in metric_tables.read()}
    assert found["unseen_clean"].protocols == ()
    names = [each.name for each in found["unseen_excerpts"].protocols]
    assert names == ["s1_global", "s1_class", "s2_global", "s2_class", "logits_global", "logits_class"]


@pytest.mark.parametrize(
    ("metric", "title"),
    [
        ("top1", "top-1"),
        ("by_count_macro_f1", "by count macro F1"),
        ("lrap", "LRAP"),
        ("exact_set", "exact set"),
        ("loss", "loss (less is better)"),
    ],
)
def test_titles(metric, title):
    assert metric_tables.title(metric) == title


def test_sets_are_described(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solo = {"solo": {"clips": 1, "top1": 1.0, "intervals": {"top1": [1.0, 1.0]}}}
    Path("metrics").mkdir()
    names = ("unseen_noisy", "composed_clean", "composed_unseen", "irmas")
    Path("metrics/test.json").write_text(json.dumps(dict.fromkeys(names, solo)))
    assert [each.description for each in metric_tables.read()] == [
        "frozen scores, a SoundFont that training does not use, noisy",
        "new scores, the SoundFonts of training, clean",
        "new scores, a SoundFont that training does not use, clean",
        "recordings",
    ]
