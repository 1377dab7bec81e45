import numpy as np

from instrec.inference.activations import Activations
from instrec.inference.prediction import Prediction
from instrec.inference.prediction_table import prediction_table
from instrec.inference.whole_file import Sounding


def predicted(name: str, windows: int, *instruments: Sounding, doubtful: tuple[Sounding, ...] = ()) -> Prediction:
    """A prediction whose only class reaches 1 in each window of a second."""
    ones = np.ones((windows, 1))
    activations = Activations(
        file="x.wav", classes=(name,), sample_rate=10, window=10, hop=10, total=10 * windows,
        onsets=np.arange(windows) * 10, presence=ones, rms=ones[:, 0], envelope=np.ones(10 * windows), frame=1,
    )  # fmt: skip
    return Prediction(activations, ones, instruments, doubtful)


def test_a_general_midi_program_has_its_title():
    assert "gm_040 Violin" in prediction_table(predicted("gm_040", 1, Sounding("gm_040", 0.5, (), 0.0)))
    assert "nearest: gm_040 Violin 1.00" in prediction_table(predicted("gm_040", 1))


def test_many_times_wrap_under_their_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    spans = tuple((2.0 * index, 2.0 * index + 1) for index in range(6))
    lines = prediction_table(predicted("flute", 40, Sounding("flute", 0.5, spans, 0.5))).splitlines()
    assert lines[0] == "x.wav  0:40.0"
    assert all(len(line) <= 60 for line in lines)
    column = lines[1].index("sounds")
    assert all(line[column:].startswith("0:") and not line[:column].strip() for line in lines[3:])
    assert sum(line.count("-") for line in lines) == 6


def test_the_rest_of_very_many_times_is_counted():
    spans = tuple((2.0 * index, 2.0 * index + 1) for index in range(13))
    doubtful = (Sounding("violin", 0.6, ((61.0, 62.0), (70.0, 71.0)), 0.01),)
    table = prediction_table(predicted("flute", 40, Sounding("flute", 0.5, spans, 0.5), doubtful=doubtful))
    assert table.count("-") == 10
    assert "and 3 more" in " ".join(table.split())
    assert table.endswith("doubtful: violin 0.60 at 1:01")


def test_many_doubtful_ones_wrap_near_the_margin(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    doubtful = tuple(Sounding(name, 0.5, ((1.0, 2.0),), 0.01) for name in ("violin", "oboe", "organ", "trumpet"))
    for instruments in ((Sounding("flute", 0.5, ((0.0, 9.0),), 0.5),), ()):
        lines = prediction_table(predicted("flute", 40, *instruments, doubtful=doubtful)).splitlines()
        assert lines[-1].startswith("    0.50 at 0:01, trumpet")
        assert all(len(line) <= 60 for line in lines)
