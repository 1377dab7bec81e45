"""Which clips a model is surely wrong about."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from instrec.tracking.report import mistakes
from tests import report_project
from tests.refusals import refused
from tests.tone_model import build


def test_the_clip_labelled_wrongly_is_found(project):
    found = mistakes.find(build(), ["unseen_clean", "unseen_excerpts"], "count_presence")
    assert found.silent is None
    assert found.sets["unseen_excerpts"] == []
    (only,) = found.sets["unseen_clean"]
    assert only.clip == "solo/violin-9"
    assert [name for name, _ in only.said] == ["flute"]
    assert [name for name, _ in only.sounding] == ["violin"]
    assert only.confidence == only.said[0][1] > 0.9
    assert only.image.startswith("data:image/png")
    assert only.sound.startswith("data:audio/mpeg")


def test_a_task_of_solo_clips_is_asked_about_them_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips = [("mixture/1-0", ("violin",), ("flute",)), ("solo/flute-0", ("flute",), ("flute",))]
    report_project.add_set(tmp_path, "a", clips)
    assert mistakes.find(build(), ["a"], "solo").sets == {"a": []}
    assert len(mistakes.find(build(), ["a"], "multilabel").sets["a"]) == 1


def test_what_is_unknown_is_no_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips = [("excerpt/0", ("violin",), ("flute",)), ("excerpt/1", ("violin",), ("flute", "double_bass"))]
    report_project.add_set(tmp_path, "openmic", clips, unknown=("flute",))
    (only,) = mistakes.find(build(), ["openmic"], "multilabel").sets["openmic"]
    assert only.clip == "excerpt/1"
    assert [name for name, _ in only.said] == ["double bass"]


def test_no_two_are_of_one_file_and_the_surest_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips = [(f"excerpt/{file}@0000{onset}.00", ("violin",), ("flute",)) for file in range(9) for onset in range(2)]
    report_project.add_set(tmp_path, "irmas", clips)
    found = mistakes.find(build(), ["irmas"], "multilabel").sets["irmas"]
    assert len(found) == mistakes.OF_A_SET
    assert len({each.clip.split("@")[0] for each in found}) == mistakes.OF_A_SET
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)


def test_many_sets_share_the_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"set{number}" for number in range(13)]
    for name in names:
        report_project.add_set(tmp_path, name, [(f"solo/{row}", ("violin",), ("flute",)) for row in range(3)])
    found = mistakes.find(build(), names, "solo").sets
    assert [len(each) for each in found.values()] == [1] * 13


def test_a_pair_of_parts_is_heard_as_their_sum(project, tmp_path, monkeypatch):
    expected = mistakes.find(build(), ["unseen_clean"], "count_presence")
    report_project.split(project, tmp_path, "unseen_clean")
    monkeypatch.chdir(tmp_path)
    assert mistakes.find(build(), ["unseen_clean"], "count_presence") == expected


def test_without_audio_the_images_stay(project, tmp_path, monkeypatch):
    shutil.copytree(project / "build/spectrograms", tmp_path / "build/spectrograms")
    monkeypatch.chdir(tmp_path)
    found = mistakes.find(build(), ["unseen_clean"], "count_presence")
    assert "dvc repro synthesize" in found.silent
    assert found.sets["unseen_clean"][0].sound is None
    assert found.sets["unseen_clean"][0].image


def test_audio_of_other_clips_is_not_played(project, tmp_path, monkeypatch):
    shutil.copytree(project / "build/spectrograms", tmp_path / "build/spectrograms")
    monkeypatch.chdir(tmp_path)
    report_project.add_set(tmp_path / "other", "unseen_clean", report_project.MIXTURES)
    shutil.copytree("other/build/audio", "build/audio")
    assert mistakes.find(build(), ["unseen_clean"], "solo").sets["unseen_clean"][0].sound is None


def test_without_spectrograms_the_stage_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused("store-unreadable", "build/spectrograms/unseen_clean.h5", "`dvc repro spectrograms`"):
        mistakes.find(build(), ["unseen_clean"], "solo")
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("confidence", "files", "expected"),
    [
        ([0.1, 0.9, 0.5, 0.8], [0, 0, 1, 1], [1, 3]),
        ([0.0, 0.0], [0, 1], []),
        ([0.5, 0.5, 0.5], [0, 1, 2], [0, 1]),
    ],
)
def test_surest(confidence, files, expected):
    assert mistakes._surest(np.array(confidence), np.array(files), 2) == expected
