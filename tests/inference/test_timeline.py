import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.inference import timeline
from instrec.inference.activations import Activations


def activations_at(onsets: list[int], presence: list[float], *, total: int, envelope: float = 1.0) -> Activations:
    """Windows of 20 samples, cells of 10."""
    return Activations(
        file="x", classes=("flute",), sample_rate=100, window=20, hop=10, total=total, onsets=np.array(onsets),
        presence=np.array(presence)[:, None], rms=np.ones(len(onsets)), envelope=np.full(total, envelope), frame=1,
    )  # fmt: skip


def test_a_cell_is_the_mean_of_the_windows_over_its_middle():
    activations = activations_at([0, 10, 15], [1.0, 0.0, 0.5], total=35)
    # Middles at 5, 15, 25 and, of the last that is cut short, 34.5.
    np.testing.assert_allclose(timeline.smoothed(activations)[:, 0], [1.0, (1.0 + 0.0 + 0.5) / 3, 0.25, 0.5])


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.integers(1, 20), st.integers(0, 19))
def test_a_timeline_lies_within_what_the_windows_say(presence, hop, rest):
    onsets = [hop * number for number in range(len(presence))]
    activations = activations_at(onsets, presence, total=max(1, onsets[-1] + 20 - rest))
    activity = timeline.smoothed(activations)
    assert activity.shape == (activations.cells, 1)
    assert min(presence) - 1e-9 <= activity.min() <= activity.max() <= max(presence) + 1e-9


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ("", ""),
        ("...", "..."),
        ("###", "###"),  # the file is no longer
        ("..####....", ".........."),
        ("..#####...", "..#####..."),
        ("####......", ".........."),
        ("....######", "....######"),
    ],
)
def test_what_lasts_less_than_half_a_second_is_chance(active, expected):
    activity = np.array([[each == "#"] for each in active], float).reshape(-1, 1)
    assert timeline.sounding(activity, [0.5])[:, 0].tolist() == [each == "#" for each in expected]


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ("...", ()),
        ("###", ((0.0, 0.25),)),  # the last cell is cut short
        (".#.", ((0.1, 0.2),)),
        ("#.....#", ((0.0, 0.65),)),
        ("#......#", ((0.0, 0.1), (0.7, 0.75))),
        ("...#...", ((0.3, 0.4),)),
    ],
)
def test_active_cells_merge_into_segments_within_the_file(active, expected):
    activations = activations_at([0], [1.0], total=10 * len(active) - 5)
    found = timeline.segments(np.array([each == "#" for each in active], bool), activations)
    assert found == tuple(pytest.approx(span) for span in expected)
