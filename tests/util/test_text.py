import numpy as np
import pytest

from instrec.inference.activations import Listening
from instrec.inference.formats import prediction_table
from instrec.inference.prediction import Prediction
from instrec.inference.summary import Sounding
from instrec.util.text import aligned, clock


@pytest.mark.parametrize(
    ("seconds", "decimals", "expected"),
    [
        (0, 0, "0:00"),
        (7.4, 0, "0:07"),
        (59.6, 0, "1:00"),
        (754, 0, "12:34"),
        (3723, 0, "1:02:03"),
        (61.25, 1, "1:01.2"),
        (59.96, 1, "1:00.0"),
        (5.0, 1, "0:05.0"),
    ],
)
def test_times_read_as_people_write_them(seconds, decimals, expected):
    assert clock(seconds, decimals=decimals) == expected


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [("name", "files"), ("violin", "7"), ("a", "120")]
    assert aligned(rows, right=(1,)) == ["name    files", "violin      7", "a         120"]


def test_a_general_midi_program_has_its_title():
    heard = Listening(
        file="x.wav", classes=("gm_040",), sample_rate=10, window=10, hop=10, total=10,
        onsets=np.zeros(1), presence=np.ones((1, 1)), rms=np.ones(1), envelope=np.ones(10), frame=1,
    )  # fmt: skip
    assert "gm_040 Violin" in prediction_table(Prediction(heard, np.ones((1, 1)), (Sounding("gm_040", 0.5, (), 0.0),)))
    assert "nearest: gm_040 Violin 1.00" in prediction_table(Prediction(heard, np.ones((1, 1)), ()))


def test_many_times_wrap_under_their_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    heard = Listening(
        file="x.wav", classes=("flute",), sample_rate=10, window=10, hop=10, total=400,
        onsets=np.arange(40) * 10, presence=np.ones((40, 1)), rms=np.ones(40), envelope=np.ones(400), frame=1,
    )  # fmt: skip
    spans = tuple((2.0 * index, 2.0 * index + 1) for index in range(6))
    lines = prediction_table(Prediction(heard, np.ones((40, 1)), (Sounding("flute", 0.5, spans, 0.5),))).splitlines()
    assert lines[0] == "x.wav  0:40.0"
    assert all(len(line) <= 60 for line in lines)
    column = lines[1].index("sounds")
    assert all(line[column:].startswith("0:") and not line[:column].strip() for line in lines[3:])
    assert sum(line.count("-") for line in lines) == 6


def test_the_rest_of_very_many_times_is_counted():
    heard = Listening(
        file="x.wav", classes=("flute",), sample_rate=10, window=10, hop=10, total=400,
        onsets=np.arange(40) * 10, presence=np.ones((40, 1)), rms=np.ones(40), envelope=np.ones(400), frame=1,
    )  # fmt: skip
    spans = tuple((2.0 * index, 2.0 * index + 1) for index in range(13))
    brief = (Sounding("violin", 0.6, ((61.0, 62.0), (70.0, 71.0)), 0.01),)
    table = prediction_table(Prediction(heard, np.ones((40, 1)), (Sounding("flute", 0.5, spans, 0.5),), brief))
    assert table.count("-") == 10
    assert "and 3 more" in " ".join(table.split())
    assert table.endswith("too briefly to count: violin 0.60 at 1:01")
