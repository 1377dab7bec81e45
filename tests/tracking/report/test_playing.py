"""The timeline of a sound, for the page."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from instrec.audio import separation
from instrec.tracking.report import playing
from tests import report_project
from tests.refusals import refused
from tests.tone_model import RATE, model, silence, tone, written


def test_clips_one_after_another_are_found_where_they_are(project):
    found = playing.clips(model())
    assert found.name == "3 solo clips of unseen_clean, one after another"
    assert (found.duration, found.left_out, found.labeled) == ("0:03", 0, True)
    rows = {row.title: row for row in found.rows}
    assert list(rows) == ["double bass", "violin", "flute"]
    for place, row in enumerate(rows.values()):
        assert row.sounding == ((pytest.approx(place / 3), pytest.approx(1 / 3)),)
        (start, width), *_ = row.found
        assert start == pytest.approx(place / 3, abs=0.25)  # a window is a third
        assert start + width == pytest.approx((place + 1) / 3, abs=0.3)
    assert found.sound.startswith("data:audio/mpeg")
    assert found.ticks == ((0, "0:00"), (pytest.approx(1 / 3), "0:01"), (pytest.approx(2 / 3), "0:02"))


def test_clips_of_a_pair_of_parts_are_heard_as_their_sum(project, tmp_path, monkeypatch):
    alone, taken = model(), []
    expected = playing.clips(alone)
    report_project.split(project, tmp_path, "unseen_clean")
    monkeypatch.chdir(tmp_path)

    def both(y):
        taken.append(len(y))
        return separation.of_file(y, RATE, "harmonic_percussive")

    def of_sum(y, step):
        return alone.features(y.sum(axis=1), step)

    found = playing.clips(replace(alone, separate=both, block=30 * RATE, features=of_sum))
    assert taken == [3 * RATE]
    assert found.sound == expected.sound
    assert [(row.title, row.found) for row in found.rows] == [(row.title, row.found) for row in expected.rows]


def test_a_file_has_the_instruments_found_in_it(tmp_path):
    music = written(tmp_path, tone("violin", 3), silence(2), tone("flute", 3))
    found = playing.file(model(), music)
    assert (found.name, found.duration, found.labeled) == ("music.wav", "0:08", False)
    rows = {row.title: row for row in found.rows}
    assert set(rows) == {"violin", "flute"}
    assert rows["violin"].found == ((0.0, 3 / 8),)
    assert rows["flute"].found == ((5 / 8, 3 / 8),)
    assert all(row.sounding == () and 0.9 < row.probability <= 1 for row in rows.values())


def test_the_waveform_is_as_loud_as_the_file_is_there(tmp_path):
    found = playing.file(model(), written(tmp_path, tone("violin", 2), silence(2)))
    points = np.array([[float(x) for x in point.split(",")] for point in found.waveform.split()])
    assert len(points) == 800
    assert points[:, 0].min() == 0
    assert points[:, 0].max() == 1000
    loud = np.abs(points[points[:, 0] < 490, 1])
    assert loud.min() > 90
    assert np.abs(points[points[:, 0] > 510, 1]).max() == 0


def test_a_long_file_is_shown_but_not_taken_in(tmp_path, monkeypatch):
    monkeypatch.setattr(playing, "LONGEST", 4.0)
    assert playing.file(model(), written(tmp_path, tone("violin", 5))).sound is None


@pytest.mark.parametrize("seconds", [0.01, 1, 400])
def test_any_length_has_a_few_ticks(tmp_path, seconds):
    found = playing.file(model(), written(tmp_path, tone("violin", seconds)))
    assert 1 <= len(found.ticks) <= 7
    assert all(0 <= place < 1 and re.fullmatch(r"\d+:\d\d", label) for place, label in found.ticks)


def test_silence_has_no_instruments(tmp_path):
    assert playing.file(model(), written(tmp_path, silence(2))).rows == ()


def test_sets_without_solo_clips_and_those_learned_from_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report_project.add_set(tmp_path, "unseen_clean", report_project.EXCERPTS)
    report_project.add_set(tmp_path, "train", report_project.SOLO)
    with refused("audio-missing", "build/audio", "`dvc repro synthesize`"):
        playing.clips(model())
    report_project.add_set(tmp_path, "recordings", report_project.SOLO[:2])
    assert playing.clips(model()).name.startswith("1 solo clips of recordings")
