import numpy as np
import pytest
from tone_model import build, silence, tone, written

from instrec import inference
from instrec.errors import UserError
from instrec.listening import Listening, listen


@pytest.fixture(scope="module")
def classifier():
    return build()


def found(prediction: inference.Prediction) -> dict[str, list[list[float]]]:
    return {each["name"]: each["segments"] for each in prediction.as_dict()["instruments"]}


def test_instruments_are_named_with_the_times_they_sound(tmp_path, classifier):
    path = written(tmp_path, tone("double_bass", 4), silence(3), tone("flute", 4.2))
    prediction = inference.predict(path, classifier)
    assert found(prediction) == {"double_bass": [[0.0, 4.0]], "flute": [[7.0, 11.2]]}
    assert prediction.as_dict()["duration_seconds"] == 11.2
    assert all(each.probability > 0.9 for each in prediction.instruments)


def test_instruments_that_sound_together_are_both_named(tmp_path, classifier):
    together = tone("violin", 3) + tone("flute", 3)
    path = written(tmp_path, tone("violin", 3), together)
    prediction = inference.predict(path, classifier, threshold=0.6)
    assert found(prediction) == {"violin": [[0.0, 6.0]], "flute": [[3.0, 6.0]]}


def test_what_sounds_only_in_the_tail_counts(tmp_path, classifier):
    # Regular windows end at 2.5 s; the flute starts after that.
    path = written(tmp_path, tone("double_bass", 2.55), tone("flute", 0.25))
    assert found(inference.predict(path, classifier))["flute"][-1][1] == 2.8


def test_a_file_shorter_than_a_window_is_padded(tmp_path, classifier):
    prediction = inference.predict(written(tmp_path, tone("flute", 0.3)), classifier)
    assert found(prediction) == {"flute": [[0.0, 0.3]]}


def test_an_instrument_that_plays_briefly_in_a_long_file_keeps_its_probability(tmp_path, classifier):
    path = written(tmp_path, tone("double_bass", 60), tone("flute", 2), tone("double_bass", 60))
    probability = {each.name: each.probability for each in inference.predict(path, classifier).instruments}
    assert probability["flute"] > 0.9


def test_level_does_not_matter_until_it_is_silence(tmp_path, classifier):
    quiet = written(tmp_path, tone("flute", 2, level=10 ** (-60 / 20)), subtype="FLOAT")
    assert list(found(inference.predict(quiet, classifier))) == ["flute"]
    inaudible = written(tmp_path, tone("flute", 2, level=10 ** (-80 / 20)), subtype="FLOAT")
    assert found(inference.predict(inaudible, classifier)) == {}


def test_a_threshold_overrides_the_models_own(tmp_path, classifier):
    path = written(tmp_path, tone("flute", 2))
    assert set(found(inference.predict(path, classifier, threshold=0.0))) == {
        "double_bass",
        "violin",
        "flute",
    }
    with pytest.raises(UserError, match="is outside 0"):
        inference.predict(path, classifier, threshold=1.5)


@pytest.mark.parametrize("hop", [0.1, 0.3, 0.7, 1.0])
def test_any_hop_covers_the_whole_file(tmp_path, classifier, hop):
    path = written(tmp_path, tone("flute", 5.03))
    heard = listen(path, classifier, hop_seconds=hop)
    activity = inference.timeline(heard)
    assert len(activity) == int(np.ceil(5.03 / hop - 1e-9))
    assert (activity[:, heard.classes.index("flute")] > 0.9).all()
    assert found(inference.predict(path, classifier, hop_seconds=hop)) == {"flute": [[0.0, 5.03]]}


def test_a_cell_is_the_mean_of_its_windows_weighted_by_cover():
    heard = Listening(
        file="x", classes=("flute",), sample_rate=100, window=20, hop=10, total=35,
        onsets=np.array([0, 10, 15]), presence=np.array([[1.0], [0.0], [0.5]]), rms=np.ones(3),
        envelope=np.ones(35), frame=1,
    )  # fmt: skip
    # Cell 1 (10..20): windows 0 and 1, and half of 2. Cell 2 (20..30): 1 and 2. Cell 3 (30..35): 2 alone.
    np.testing.assert_allclose(inference.timeline(heard)[:, 0], [1.0, (1.0 + 0.0 + 0.25) / 2.5, 0.25, 0.5])


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([], ()),
        ([0, 0, 0], ()),
        ([1, 1, 1], ((0.0, 1.4),)),
        ([1, 0, 1], ((0.0, 0.5), (1.0, 1.4))),
        ([0, 1, 0], ((0.5, 1.0),)),
    ],
)
def test_active_cells_merge_into_segments_within_the_file(active, expected):
    assert inference.segments(np.array(active, bool), 0.5, 1.4) == expected


def test_the_score_of_a_file_weighs_windows_by_their_level(tmp_path, classifier):
    path = written(tmp_path, tone("violin", 2), tone("flute", 4, level=0.01), silence(3))
    scores = inference.score(listen(path, classifier))
    assert classifier.card.classes[scores.argmax()] == "violin"
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_silent_file_has_no_score(tmp_path, classifier):
    path = written(tmp_path, silence(2))
    with pytest.raises(UserError, match=r"music\.wav: silent"):
        inference.score(listen(path, classifier))
    assert found(inference.predict(path, classifier)) == {}
