import threading
from pathlib import Path
from typing import Any

import pytest

from instrec.errors import UserError
from instrec.inference import batch, prediction
from tests import tone_model
from tests.locked_folders import lock
from tests.refusals import refused
from tests.tone_model import silence, tone, written

NAMES = ("double_bass", "violin", "flute")


def fail(error: UserError) -> None:
    raise error


@pytest.fixture(scope="module")
def model():
    return tone_model.model()


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """The longest first, so that what comes later is done earlier."""
    return [written(tmp_path, tone(NAMES[index % 3], 9 - index), name=f"{index}.wav") for index in range(8)]


def test_predictions_come_in_order_and_are_those_of_each_file_alone(files, model):
    found = [each.to_dict() for each in batch.predictions(files, model)]
    assert found == [prediction.predict(path, model).to_dict() for path in files]
    assert [each["instruments"][0]["name"] for each in found] == [NAMES[index % 3] for index in range(8)]


def test_a_file_that_cannot_be_read_gives_its_error(files, model, tmp_path):
    (tmp_path / "text.wav").write_text("no audio\n" * 40)
    first, bad, last = batch.predictions([files[0], tmp_path / "text.wav", files[1]], model)
    assert isinstance(bad, UserError)
    assert "text.wav" in str(bad)
    assert (first.activations.file, last.activations.file) == (str(files[0]), str(files[1]))


def test_options_reach_every_file(files, model):
    for each in batch.predictions(files[:2], model, hop_seconds=0.5, threshold=0.0):
        assert each.activations.hop == 7936  # on the grid of the model
        assert len(each.instruments) == 3


def test_every_second_is_told_of(files, model):
    told: list[Any] = []
    assert len(list(batch.predictions(files, model, progress=told.append))) == 8
    assert sum(told) == pytest.approx(sum(range(2, 10)))


def test_closed_early_it_gives_up_what_is_under_way(tmp_path, model):
    long = written(tmp_path, tone("flute", 1), silence(600))
    before = threading.active_count()
    told: list[Any] = []
    found = batch.predictions([written(tmp_path, tone("flute", 1), name="short.wav"), *[long] * 40], model,
                             progress=told.append)  # fmt: skip
    next(found)
    found.close()
    assert threading.active_count() == before
    assert sum(told) < 600 * 8


def test_nothing_is_predicted_of_no_files(model):
    assert list(batch.predictions([], model)) == []


def test_a_folder_stands_for_the_audio_in_and_below_it(tmp_path):
    for name in ("b.WAV", "a/2.flac", "a/1.mp3", ".hidden/c.wav", "a/.d.wav", "a/notes.txt", "folder.wav/e.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = batch.sounds([str(tmp_path), str(tmp_path / "a" / "notes.txt")], fail)
    names = ["a/1.mp3", "a/2.flac", "b.WAV", "folder.wav/e.ogg"]
    assert [str(each.name) for each in found] == [*names, "notes.txt"]
    assert [each.path for each in found] == [tmp_path / name for name in (*names, "a/notes.txt")]


def test_a_name_that_is_too_long_is_a_file_that_cannot_be_read(model, files):
    (long,) = batch.sounds(["x" * 300], fail)
    error, found = batch.predictions([long.path, files[0]], model)
    assert (error.code, error.subject) == ("file-unreadable", long.path)
    assert found.instruments


def test_a_folder_without_audio_is_told_of(tmp_path):
    (tmp_path / "notes.txt").touch()
    with refused("folder-empty", tmp_path, ".aac", ".flac", ".wav"):
        batch.sounds([str(tmp_path)], fail)


def test_a_folder_that_cannot_be_read_is_reported(tmp_path, monkeypatch):
    for name in ("a/b/1.wav", "locked/2.wav", "a/locked/3.wav", ".hidden/locked/4.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    lock(monkeypatch)
    denied: list[UserError] = []
    (found,) = batch.sounds([tmp_path], denied.append)
    assert found.path == tmp_path / "a/b/1.wav"
    assert {(each.code, each.subject) for each in denied} == {
        ("file-unreadable", tmp_path / name) for name in ("locked", "a/locked")
    }
    assert "permission denied; check its permissions" in str(denied[0])
