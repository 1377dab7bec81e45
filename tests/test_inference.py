import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tone_model import RATE, build, silence, tone

from instrec import inference
from instrec.errors import UserError

HOP = 0.5  # half of the model's window


@pytest.fixture(scope="module")
def classifier():
    return build()


def written(folder: Path, *parts: np.ndarray, name: str = "music.wav", rate: int = RATE, **options) -> Path:
    soundfile.write(folder / name, np.concatenate(parts), rate, **options)
    return folder / name


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


@pytest.mark.parametrize("hop", [0.0, 0.05, 1.01, float("nan")])
def test_a_hop_out_of_range_is_refused(tmp_path, classifier, hop):
    path = written(tmp_path, tone("flute", 2))
    with pytest.raises(UserError, match=r"allowed is 0\.1 to 1"):
        inference.predict(path, classifier, hop_seconds=hop)


@pytest.mark.parametrize("hop", [0.1, 0.3, 0.7, 1.0])
def test_any_hop_covers_the_whole_file(tmp_path, classifier, hop):
    path = written(tmp_path, tone("flute", 5.03))
    heard = inference.listen(path, classifier, hop_seconds=hop)
    activity = inference.timeline(heard)
    assert len(activity) == int(np.ceil(5.03 / hop - 1e-9))
    assert (activity[:, heard.classes.index("flute")] > 0.9).all()
    assert found(inference.predict(path, classifier, hop_seconds=hop)) == {"flute": [[0.0, 5.03]]}


@given(
    lengths=st.lists(st.integers(1, 40), max_size=12),
    window=st.integers(1, 25),
    share=st.floats(0.01, 1.0),
)
def test_windows_cover_every_sample_however_the_stream_is_cut(lengths, window, share):
    hop = max(1, round(window * share))
    y = np.arange(1, sum(lengths) + 1, dtype=np.float32)
    cut = list(inference.windows(np.split(y, np.cumsum(lengths)[:-1]) if lengths else [], window, hop))
    covered = np.zeros(len(y), bool)
    for onset, part in cut:
        np.testing.assert_array_equal(part, y[onset : onset + window])
        covered[onset : onset + window] = True
    assert covered.all()
    onsets = [onset for onset, _ in cut]
    assert onsets[:-1] == [index * hop for index in range(len(onsets) - 1)]
    assert onsets[-1:] == ([] if not lengths else onsets[-1:])
    assert not cut or cut[-1][0] + len(cut[-1][1]) == len(y)


def test_a_cell_is_the_mean_of_its_windows_weighted_by_cover():
    heard = inference.Listening(
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
    scores = inference.score(inference.listen(path, classifier))
    assert classifier.card.classes[scores.argmax()] == "violin"
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_silent_file_has_no_score(tmp_path, classifier):
    path = written(tmp_path, silence(2))
    with pytest.raises(UserError, match=r"music\.wav: silent"):
        inference.score(inference.listen(path, classifier))
    assert found(inference.predict(path, classifier)) == {}


@pytest.mark.parametrize(
    ("rate", "channels", "suffix", "subtype"),
    [
        (8000, 1, "wav", "PCM_U8"),
        (96000, 2, "flac", "PCM_24"),
        (48000, 6, "wav", "FLOAT"),
        (44100, 2, "ogg", "VORBIS"),
        (44100, 2, "mp3", "MPEG_LAYER_III"),
        (22050, 1, "aiff", "PCM_16"),
    ],
)
def test_any_format_rate_and_number_of_channels(tmp_path, classifier, rate, channels, suffix, subtype):
    y = np.repeat(tone("flute", 2.5, rate=rate)[:, None], channels, axis=1)
    path = written(tmp_path, y, name=f"music.{suffix}", rate=rate, subtype=subtype)
    prediction = inference.predict(path, classifier)
    assert list(found(prediction)) == ["flute"]
    assert prediction.heard.duration == pytest.approx(2.5, abs=0.1)


def test_one_sample_is_a_file(tmp_path, classifier):
    prediction = inference.predict(written(tmp_path, np.array([0.5], np.float32)), classifier)
    assert 0 < prediction.heard.duration < 0.001


def test_a_truncated_file_gives_what_is_left_of_it(tmp_path, classifier):
    path = written(tmp_path, tone("flute", 4), name="music.flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    prediction = inference.predict(path, classifier)
    assert list(found(prediction)) == ["flute"]
    assert 1 < prediction.heard.duration < 3


@pytest.mark.parametrize("bad", ["empty", "text", "nan", "folder", "missing"])
def test_what_cannot_be_heard_is_refused_by_name(tmp_path, classifier, bad):
    path = tmp_path / "music.wav"
    if bad == "empty":
        path.touch()
    elif bad == "text":
        path.write_text("not audio at all\n" * 50)
    elif bad == "nan":
        written(tmp_path, tone("flute", 1), np.array([np.nan], np.float32), subtype="FLOAT")
    elif bad == "folder":
        path.mkdir()
    with pytest.raises(UserError, match=r"music\.wav"):
        inference.predict(path, classifier)


def test_memory_does_not_grow_with_the_length_of_the_file(tmp_path, classifier):
    minutes = 25
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8000, 1) as file:
        for _ in range(minutes):
            file.write(tone("violin", 60, rate=8000, level=0.01))
    inference.predict(written(tmp_path, tone("violin", 1)), classifier)  # what is loaded once is not counted
    tracemalloc.start()
    try:
        prediction = inference.predict(tmp_path / "long.wav", classifier, hop_seconds=1.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found(prediction) == {"violin": [[0.0, 60.0 * minutes]]}
    whole_file = minutes * 60 * RATE * 4
    assert peak < whole_file / 4
