"""Where clips start: at a hop that covers all, or at the attack, wherever it is and however loud."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from instrec import params
from instrec.audio import windowing
from tests.refusals import refused

RATE = 22050
CLIP = params.ClipParams(sample_rate=RATE, seconds=1.0)
HOP = params.SelectionParams(start="hop", hop_share=1.0, test_hop_share=0.5, silence_dbfs=-60.0)
ONSET = replace(HOP, start="onset")


def pieces(y: np.ndarray, places: list[int]) -> list[np.ndarray]:
    return np.split(y, sorted(place % (len(y) + 1) for place in places))


# ---- hop


@given(
    length=st.integers(1, 300),
    size=st.integers(1, 60),
    share=st.floats(0.02, 1),
    places=st.lists(st.integers(0, 300), max_size=8),
)
def test_windows_are_slices_a_hop_apart_that_leave_out_less_than_half_a_hop(length, size, share, places):
    hop = max(1, round(share * size))
    y = np.arange(length, dtype=np.float32)
    found = list(windowing.windows(pieces(y, places), size, hop))
    assert [start for start, _ in found] == list(range(0, hop * len(found), hop))
    for start, window in found:
        assert np.array_equal(window, y[start : start + size])
    # Only the last may be short, none brings less than half a hop that is new, and no more is left out at the end.
    ends = [start + len(window) for start, window in found]
    assert all(len(window) == size for _, window in found[:-1])
    assert all(2 * (end - before) >= hop - 1 for before, end in pairwise(ends))
    assert 2 * (length - ends[-1]) < max(2, hop)


def recording(folder: Path, y: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(folder / "a.wav", y, rate, subtype="FLOAT")
    return folder / "a.wav"


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        (3.0, 1.0, [0, 1, 2]),
        (3.4, 1.0, [0, 1, 2]),
        (3.6, 1.0, [0, 1, 2, 3]),
        (0.2, 1.0, [0]),
        (3.0, 0.5, [0, 0.5, 1, 1.5, 2]),
        (3.2, 0.5, [0, 0.5, 1, 1.5, 2]),
        (3.3, 0.5, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.9, 0.5, [0]),
    ],
)
def test_a_recording_is_cut_at_the_hop(tmp_path, seconds, share, expected):
    path = recording(tmp_path, noise(seconds))
    assert list(windowing.starts(path, CLIP, HOP, hop_share=share)) == pytest.approx(expected)


@pytest.mark.parametrize(("dbfs", "expected"), [(-60.0, [0, 2]), (-80.0, [0, 1, 2]), (0.0, [])])
def test_silent_windows_are_left_out(tmp_path, dbfs, expected):
    y = np.concatenate([noise(1, level=0.89), noise(1, level=3e-4), noise(1, level=0.89)])  # -75 dBFS in between
    chosen = replace(HOP, silence_dbfs=dbfs)
    assert list(windowing.starts(recording(tmp_path, y), CLIP, chosen, hop_share=1.0)) == expected


@pytest.mark.parametrize("chosen", [HOP, ONSET])
def test_silence_is_relative_to_the_recordings_peak(tmp_path, chosen):
    path = recording(tmp_path, struck(RATE // 2, seconds=3, level=10 ** (-60 / 20), decay=10))
    assert len(list(windowing.starts(path, CLIP, chosen, hop_share=1.0))) == (3 if chosen is HOP else 1)


@pytest.mark.parametrize("chosen", [HOP, ONSET])
def test_dither_is_silent_in_a_quiet_recording_and_alone(tmp_path, chosen):
    dither = 10 ** (-96 / 20) * np.random.default_rng(0).standard_normal(2 * RATE)
    assert not list(windowing.starts(recording(tmp_path, dither), CLIP, chosen, hop_share=1.0))
    quiet = struck(0, seconds=1, level=10 ** (-60 / 20), decay=10)
    path = recording(tmp_path, np.concatenate([quiet, dither]))
    assert list(windowing.starts(path, CLIP, chosen, hop_share=1.0)) == pytest.approx([0.0], abs=0.005)


@given(level=st.floats(-90, 0), bound=st.floats(-90, 0))
def test_silence_is_told_by_the_rms_level(level, bound):
    y = np.tile([1.0, -1.0], 50) * 10 ** (level / 20)
    if abs(level - bound) > 1e-3:
        assert windowing.is_silent(y, bound) == (level < bound)


def test_nothing_at_all_is_silent():
    assert windowing.is_silent(np.zeros(5), -150.0)
    assert windowing.is_silent(np.zeros(0), -150.0)


# ---- onset


def struck(
    place: int, *, seconds: float = 3.0, hz: float = 440.0, level: float = 1.0, decay: float = 0.3, floor: float = 0.0
) -> np.ndarray:
    """A tone that is struck at a sample and dies away, over a floor of noise that is `floor` times as loud."""
    y = floor * np.random.default_rng(1).uniform(-1, 1, round(seconds * RATE))
    after = np.arange(len(y) - place) / RATE
    y[place:] += np.sin(2 * np.pi * hz * after) * np.exp(-after / decay)
    return level * y


@given(
    place=st.integers(0, round(2.95 * RATE)),
    hz=st.floats(100, 8000),
    decibels=st.floats(-100, 0),
    decay=st.floats(0.03, 10),
    floor=st.sampled_from([0.0, 0.001, 0.03]),
    places=st.lists(st.integers(0, 3 * RATE), max_size=3),
)
def test_an_attack_is_found_at_any_place_and_level(place, hz, decibels, decay, floor, places):
    y = struck(place, hz=hz, level=10 ** (decibels / 20), decay=decay, floor=floor)
    found = windowing.steepest_rise(pieces(y, places), RATE)
    assert abs(found - place) <= 0.005 * RATE


def test_of_several_attacks_the_strongest_counts():
    y = struck(5000, level=0.3) + struck(30000, hz=600, level=0.9) + struck(50000, hz=300, level=0.5)
    assert abs(windowing.steepest_rise([y], RATE) - 30000) <= 0.005 * RATE


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_rate_does_not_matter(rate):
    y = np.zeros(2 * rate)
    y[rate:] = np.sin(2 * np.pi * 500 * np.arange(rate) / rate)
    assert abs(windowing.steepest_rise([y], rate) / rate - 1.0) <= 0.005


@pytest.mark.parametrize("y", [np.zeros(0), np.zeros(1), np.ones(1), np.zeros(RATE), np.ones(300)])
def test_silence_and_what_begins_loud_begins_at_once(y):
    assert windowing.steepest_rise([y], RATE) == 0


def test_a_recording_gives_one_clip_at_its_attack(tmp_path):
    path = recording(tmp_path, struck(40000, seconds=4.0, level=0.5))
    (start,) = windowing.starts(path, CLIP, ONSET, hop_share=0.25)
    assert start == pytest.approx(40000 / RATE, abs=0.005)


def test_it_is_found_in_the_rate_of_the_clips(tmp_path):
    path = recording(tmp_path, struck(40000, seconds=4.0, level=0.5))
    (start,) = windowing.starts(path, replace(CLIP, sample_rate=16000), ONSET, hop_share=1.0)
    assert start == pytest.approx(40000 / RATE, abs=0.005)


@pytest.mark.parametrize("chosen", [HOP, ONSET])
def test_a_file_of_one_sample_gives_one_clip_and_a_silent_one_none(tmp_path, chosen):
    assert list(windowing.starts(recording(tmp_path, np.ones(1)), CLIP, chosen, hop_share=1.0)) == [0.0]
    for length in (1, RATE // 2, 3 * RATE):
        assert not list(windowing.starts(recording(tmp_path, np.zeros(length)), CLIP, chosen, hop_share=1.0))


def test_a_clip_may_be_longer_than_its_file(tmp_path):
    path = recording(tmp_path, struck(4000, seconds=0.5, level=0.5))
    longer = replace(CLIP, seconds=10.0)
    assert list(windowing.starts(path, longer, HOP, hop_share=1.0)) == [0.0]
    assert list(windowing.starts(path, longer, ONSET, hop_share=1.0)) == pytest.approx([4000 / RATE], abs=0.005)


@pytest.mark.parametrize("chosen", [HOP, ONSET])
def test_a_file_that_is_no_audio_is_named(tmp_path, chosen):
    (tmp_path / "a.wav").write_text("no audio")
    with refused("audio-undecodable", tmp_path / "a.wav"):
        list(windowing.starts(tmp_path / "a.wav", CLIP, chosen, hop_share=1.0))


def test_memory_does_not_grow_with_the_length():
    def minutes() -> Iterator[np.ndarray]:
        for number in range(600):
            yield np.full(RATE, number % 7, dtype=np.float32)

    tracemalloc.start()
    try:
        assert sum(1 for _ in windowing.windows(minutes(), RATE, RATE // 2)) == 1199
        assert windowing.steepest_rise(minutes(), RATE) > 0
        assert tracemalloc.get_traced_memory()[1] < 16 * 4 * RATE  # sixteen seconds, not six hundred
    finally:
        tracemalloc.stop()
