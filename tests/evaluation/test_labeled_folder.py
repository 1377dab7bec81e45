"""A model of General MIDI programs scores a folder of instruments; command and messages are tested in test_cli."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from instrec.evaluation.labeled_folder import asked, evaluate_folder, figures, find
from instrec.inference import keras_model
from instrec.models.classifier import Classifier
from tests.locked_folders import lock
from tests.refusals import refused
from tests.tone_model import RATE, build, tone


def test_programs_are_asked_as_the_instruments_they_stand_for():
    assert asked(("violin", "flute")) == ("violin", "flute")
    assert asked(("gm_001", "gm_040", "gm_000", "gm_008")) == ("piano", "violin", "gm_008")
    assert asked(("violin", "gm_040")) == ("violin",)


def test_a_folder_is_answered_by_programs(tmp_path):
    """The model's tones become two pianos and a celesta (program 8, no class of ours), which may win nonetheless."""
    known = build()
    programs = Classifier(known.model, replace(known.card, classes=("gm_000", "gm_001", "gm_008")))
    folder = tmp_path / "recordings"
    for name, sound in {"piano/low": "double_bass", "piano/high": "violin", "piano/odd": "flute"}.items():
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(sound, 2), RATE)
    (folder / "violin").mkdir()
    soundfile.write(folder / "violin" / "a.wav", tone("violin", 2), RATE)
    result = evaluate_folder(folder, keras_model.made(programs))
    assert result["files"] == 3
    assert result["top1"] == pytest.approx(2 / 3)
    assert result["confusion"] == {"classes": ["piano", "gm_008"], "matrix": [[2, 1], [0, 0]]}
    assert [each["reason"] for each in result["skipped"]] == ["the model knows no class 'violin'"]


def test_files_of_one_instrument():
    scores = np.array([[0.9, 0, 0, 0], [0.2, 0.1, 0.8, 0], [0, 0, 0.6, 0.7], [0, 0, 0.3, 0.2]])
    result = figures(["cello", "cello", "flute", "flute"], scores, ("cello", "violin", "flute", "oboe"))
    assert result["top1"] == result["macro_recall"] == 0.5
    assert result["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["per_class"] == {
        "cello": {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "files": 2},
        "flute": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "files": 2},
    }
    assert result["confusion"]["classes"] == list(("cello", "violin", "flute", "oboe"))
    assert result["confusion"]["matrix"] == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]


def test_files_that_cannot_be_measured_are_refused():
    with pytest.raises(ValueError, match="must both be"):
        figures([], np.zeros((0, 4)), ("cello", "violin", "flute", "oboe"))
    with pytest.raises(ValueError, match="not in"):
        figures(["theremin"], np.zeros((1, 4)), ("cello", "violin", "flute", "oboe"))


def test_a_folder_that_is_none_or_holds_nothing_is_refused(tmp_path):
    with refused("not-a-folder", tmp_path / "none"):
        find(tmp_path / "none", ("violin",))
    with refused("folder-empty", tmp_path):
        find(tmp_path, ("violin",))


def test_a_folder_that_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "violin/locked").mkdir(parents=True)
    (tmp_path / "violin/1.wav").touch()
    lock(monkeypatch)
    labeled, (skipped,) = find(tmp_path, ("violin",))
    assert labeled == [(tmp_path / "violin/1.wav", "violin")]
    assert skipped["file"] == str(tmp_path / "violin/locked")
    assert "permission denied" in skipped["reason"]
