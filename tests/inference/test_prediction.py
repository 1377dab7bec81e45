import numpy as np
import pytest

from instrec.inference import prediction, timeline
from instrec.inference.activations import activations_of
from tests import tone_model
from tests.refusals import refused
from tests.tone_model import RATE, silence, tone, written


@pytest.fixture(scope="module")
def model():
    return tone_model.model()


def found(predicted: prediction.Prediction) -> dict[str, list[list[float]]]:
    return {each["name"]: each["segments"] for each in predicted.to_dict()["instruments"]}


def test_instruments_are_named_with_the_times_they_sound(tmp_path, model):
    path = written(tmp_path, tone("double_bass", 4), silence(3), tone("flute", 4.2))
    predicted = prediction.predict(path, model)
    assert found(predicted) == {"double_bass": [[0.0, 4.0]], "flute": [[7.0, 11.2]]}
    assert predicted.to_dict()["duration_seconds"] == 11.2
    assert all(each.probability > 0.9 for each in predicted.instruments)


def test_instruments_that_sound_together_are_both_named(tmp_path, model):
    together = tone("violin", 3) + tone("flute", 3)
    path = written(tmp_path, tone("violin", 3), together)
    predicted = prediction.predict(path, model, threshold=0.6)
    assert found(predicted) == {"violin": [[0.0, 6.0]], "flute": [[pytest.approx(3.0, abs=0.5), 6.0]]}


def test_entrances_between_windows_are_found_to_a_tenth_of_a_second(tmp_path, model):
    """The model names a tone that any of its window holds, so the mean of windows is one half where the tone begins
    and ends, but for half a window."""
    starts, ends = [], []
    for lead in np.arange(3.0, 4.0, 0.13):
        path = written(tmp_path, tone("violin", lead), tone("flute", 3.0), tone("violin", 4.0))
        (((start, end),),) = (
            each.segments for each in prediction.predict(path, model).instruments if each.name == "flute"
        )
        starts.append(lead - start)
        ends.append(end - lead - 3.0)
    for errors in (starts, ends):
        assert np.ptp(errors) < 0.25
        assert np.mean(errors) == pytest.approx(0.5, abs=0.15)


def test_what_sounds_only_in_the_tail_counts(tmp_path, model):
    # Regular windows end at 2.5 s; the flute starts after that.
    path = written(tmp_path, tone("double_bass", 2.55), tone("flute", 0.25))
    assert found(prediction.predict(path, model))["flute"][-1][1] == 2.8


def test_a_file_shorter_than_a_window_is_padded(tmp_path, model):
    predicted = prediction.predict(written(tmp_path, tone("flute", 0.3)), model)
    assert found(predicted) == {"flute": [[0.0, 0.3]]}


def test_an_instrument_that_plays_briefly_in_a_long_file_keeps_its_probability(tmp_path, model):
    path = written(tmp_path, tone("double_bass", 60), tone("flute", 2), tone("double_bass", 60))
    predicted = prediction.predict(path, model)
    (bass,), (flute,) = predicted.instruments, predicted.doubtful
    assert flute.probability > 0.9
    assert (bass.name, flute.name) == ("double_bass", "flute")
    assert [each["name"] for each in predicted.to_dict()["doubtful"]] == ["flute"]


def test_shares_are_of_the_time_in_which_anything_sounds(tmp_path, model):
    path = written(tmp_path, silence(8), tone("double_bass", 6), tone("flute", 2), silence(4))
    shares = {each.name: each.share for each in prediction.predict(path, model).instruments}
    assert shares == {"double_bass": pytest.approx(0.75, abs=0.08), "flute": pytest.approx(0.25, abs=0.08)}
    assert list(shares) == ["double_bass", "flute"]


def test_level_does_not_matter_until_it_is_silence(tmp_path, model):
    quiet = written(tmp_path, tone("flute", 2, level=10 ** (-60 / 20)), subtype="FLOAT")
    assert list(found(prediction.predict(quiet, model))) == ["flute"]
    inaudible = written(tmp_path, tone("flute", 2, level=10 ** (-80 / 20)), subtype="FLOAT")
    assert found(prediction.predict(inaudible, model)) == {}


@pytest.mark.parametrize("decay", [100.0, 0.05], ids=["sustained", "struck"])
def test_a_file_of_24_bits_that_peaks_at_minus_60_has_an_answer(tmp_path, model, decay):
    def played(name: str, level: float) -> np.ndarray:
        return tone(name, 3, level=level) * np.exp(-(np.arange(3 * RATE) % (RATE // 2)) / RATE / decay)

    quiet = 10 ** (-60 / 20)
    y = np.concatenate([played("violin", quiet), silence(3), played("flute", quiet / 3)])
    y += 10 ** (-140 / 20) * np.random.default_rng(0).standard_normal(len(y))
    path = written(tmp_path, y, subtype="PCM_24")
    segments = found(prediction.predict(path, model))
    assert set(segments) == {"violin", "flute"}
    assert segments["violin"][-1][1] <= 3.1
    assert segments["flute"][0][0] >= 5.9


@pytest.mark.parametrize("decibels", [-80, -90, -96])
def test_noise_and_dither_are_nothing_alone_and_in_rests(tmp_path, model, decibels):
    hiss = 10 ** (decibels / 20) * np.random.default_rng(0).standard_normal(3 * RATE)
    alone = written(tmp_path, hiss, subtype="FLOAT")
    assert not prediction.predict(alone, model).timeline.any()
    loud = written(tmp_path, tone("flute", 2), hiss, subtype="FLOAT")
    assert list(found(prediction.predict(loud, model, threshold=0.01))) == ["flute"]


def test_a_threshold_overrides_the_models_own(tmp_path, model):
    path = written(tmp_path, tone("flute", 2))
    assert set(found(prediction.predict(path, model, threshold=0.0))) == {
        "double_bass",
        "violin",
        "flute",
    }
    with refused("value-out-of-range", "threshold=1.5", "0..1"):
        prediction.predict(path, model, threshold=1.5)


@pytest.mark.parametrize("hop", [0.1, 0.3, 0.7, 1.0])
def test_any_hop_covers_the_whole_file(tmp_path, model, hop):
    path = written(tmp_path, tone("flute", 5.03))
    activations = activations_of(path, model, hop_seconds=hop)
    activity = timeline.smoothed(activations)
    assert len(activity) == 51
    assert (activity[:, activations.classes.index("flute")] > 0.9).all()
    assert found(prediction.predict(path, model, hop_seconds=hop)) == {"flute": [[0.0, 5.03]]}


def test_short_sounds_between_rests_are_detected(tmp_path, model):
    strokes = [part for _ in range(4) for part in (tone("flute", 0.1), silence(0.9))]
    (flute,) = prediction.predict(written(tmp_path, *strokes), model).instruments
    assert flute.segments == tuple(pytest.approx((start, start + 0.1)) for start in range(4))


def test_the_score_of_a_file_weighs_windows_by_their_level(tmp_path, model):
    path = written(tmp_path, tone("violin", 2), tone("flute", 4, level=0.01), silence(3))
    scores = prediction.mean_presence(activations_of(path, model))
    assert model.classes[scores.argmax()] == "violin"
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_silent_file_has_no_score(tmp_path, model):
    path = written(tmp_path, silence(2))
    with refused("audio-silent", path):
        prediction.mean_presence(activations_of(path, model))
    assert found(prediction.predict(path, model)) == {}
