"""What MLflow calls of a registered model: files and samples in, what `instrec predict` says out."""

import numpy as np
import pytest
from pandas import DataFrame

from instrec.errors import UserError
from instrec.inference import prediction
from instrec.tracking.mlflow import pyfunc
from tests.tone_model import RATE, model, silence, tone, written


@pytest.fixture(scope="module")
def known():
    return model()


@pytest.fixture
def sound():
    return np.concatenate([tone("violin", 1.5), silence(1.0), tone("flute", 1.5)])


def test_a_file_gives_what_predict_gives(known, sound, tmp_path):
    path = written(tmp_path, sound)
    (said,) = pyfunc.Recognizer(known).predict(DataFrame([{"file": str(path)}]))
    assert said == prediction.predict(path, known).to_dict()
    assert {each["name"] for each in said["instruments"]} == {"violin", "flute"}


@pytest.mark.parametrize("kind", [list, np.float32, np.float64])
def test_samples_give_what_their_file_gives(known, sound, tmp_path, kind):
    path = written(tmp_path, sound, subtype="FLOAT")
    samples = sound.tolist() if kind is list else sound.astype(kind)
    (said,) = pyfunc.Recognizer(known).predict(DataFrame([{"samples": samples, "sample_rate": RATE}]))
    assert said == prediction.predict(path, known).to_dict() | {"file": None}


def test_hop_and_threshold_are_those_of_predict(known, sound, tmp_path):
    path = written(tmp_path, sound)
    options = {"hop": 0.2, "threshold": 0.0}
    said = pyfunc.Recognizer(known).predict(DataFrame([{"file": str(path)}] * 2), options)
    assert said == [prediction.predict(path, known, hop_seconds=0.2, threshold=0.0).to_dict()] * 2
    assert len(said[0]["instruments"]) == 3


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"file": None},
        {"file": ""},
        {"samples": [0.1, 0.2]},
        {"samples": [], "sample_rate": RATE},
        {"samples": [0.1, 0.2], "sample_rate": 0},
        {"samples": [[0.1, 0.2]], "sample_rate": RATE},
        {"samples": [float("nan")] * RATE, "sample_rate": RATE},
        {"file": "nowhere.wav"},
    ],
)
def test_a_row_without_a_sound_is_one_line(known, row):
    with pytest.raises(UserError) as told:
        pyfunc.Recognizer(known).predict(DataFrame([row]))
    assert "\n" not in str(told.value)


def test_the_example_is_a_sound_that_a_recording_could_be():
    (row,) = pyfunc.example().to_dict("records")
    samples = np.array(row["samples"])
    assert samples.shape == (row["sample_rate"],)
    assert 0.1 < np.abs(samples).max() < 1
