"""Live sound gives what the same sound gives as a whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.errors import UserError
from instrec.inference.activations import activations_of
from tests import tone_model
from tests.refusals import refused
from tests.tone_model import RATE, silence, tone

MODEL = tone_model.model()


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 5 * RATE), max_size=6), rate=st.sampled_from([RATE, 44100]))
def test_the_same_as_of_the_whole_sound_however_it_is_cut(cuts, rate):
    y = np.concatenate([tone("flute", 2, rate=rate), silence(1.2, rate=rate), tone("violin", 1.1, rate=rate)])
    found = list(MODEL.stream(rate).run(np.split(y, sorted(cuts))))
    activations = activations_of(y, MODEL, sample_rate=rate, hop_share=1 / 6)
    assert [round(each.start * RATE) for each in found] == activations.onsets.tolist()
    np.testing.assert_allclose([each.presence for each in found], activations.presence, atol=1e-4)


def test_activations_come_as_soon_as_a_window_is_full():
    stream = MODEL.stream(RATE, hop_seconds=0.5)
    assert list(stream.feed(tone("flute", 0.9))) == []
    first, second = stream.feed(np.stack([tone("flute", 0.7)] * 2, axis=1))
    assert (first.start, first.end) == (0, 1)
    assert second.start == MODEL.hop(0.5) / RATE
    assert first.presence.round().tolist() == [0, 0, 1]
    (last,) = stream.end()
    assert last.end == pytest.approx(1.6)


def test_nothing_comes_of_nothing_and_one_window_of_a_moment():
    assert list(MODEL.stream(RATE).run([])) == []
    (only,) = MODEL.stream(RATE).run([tone("flute", 0.3)])
    assert (only.start, only.end) == (0, pytest.approx(0.3))


@pytest.mark.parametrize("rate", [None, 0, 999, 10**6])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(UserError, match="1000 to 768000 Hz"):
        MODEL.stream(rate)


def test_integers_are_heard_as_the_floating_point_numbers_they_stand_for():
    """Drivers of microphones give integers; clipped at one, any sound would be a square wave."""
    y = tone("flute", 1.2)
    wanted = [each.presence for each in MODEL.stream(RATE).run([y])]
    short = (y * 2**15).astype(np.int16)
    whole = [short, np.stack([short, short], axis=1), (y * 2**31).astype(np.int32)]
    for block in [*whole, (np.round(y * 128) + 128).astype(np.uint8), y.tolist(), np.ma.masked_array(y)]:
        found = [each.presence for each in MODEL.stream(RATE).run([block])]
        np.testing.assert_allclose(found, wanted, atol=0.01)


def test_a_stream_that_has_ended_takes_no_more():
    stream = MODEL.stream(44100)
    assert [len(list(given)) for given in (stream.feed(np.zeros(44100)), stream.end())] == [0, 1]
    for more in (lambda: stream.feed(np.zeros(9)), stream.end):
        with refused("stream-ended", "stream", "model.stream"):
            list(more())


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (np.full(9, np.nan), "not numbers"),
        (np.zeros((2, 2, 2)), "block of shape"),
        (np.zeros((2, 9000)), r"block of shape \(2, 9000\): allowed is"),
        (np.zeros((9, 0)), "block of shape"),
        (np.zeros(9, complex), "block of type complex128"),
        (None, "block of shape"),
    ],
)
def test_a_block_that_is_no_sound_is_refused(block, reason):
    with pytest.raises(UserError, match=reason):
        list(MODEL.stream(RATE).feed(block))
