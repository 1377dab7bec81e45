"""Where clips of long recordings start, and which are left out."""

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from instrec.corpus.manifest import RECORDING
from tests.corpus.balance.making import RATE, make, recording


def test_long_files_are_cut_and_short_rests_left_out(tmp_path, small_params, data):
    bounds = replace(small_params.balance, train_per_class=50)
    params = replace(small_params, balance=bounds)
    entries = [
        recording(tmp_path, "violin", "long", seconds=3.6),
        recording(tmp_path, "violin", "rest", seconds=2.4),
        recording(tmp_path, "violin", "short", seconds=0.3),
    ]
    entries = [replace(entry, group="one") for entry in entries]
    onsets: dict[str, list[float]] = {}
    for clip in make(params, entries, data):
        if clip.source == RECORDING:
            onsets.setdefault(Path(clip.path).stem, []).append(clip.onset)
    assert onsets == {"long-0": [0.0, 1.0, 2.0, 3.0], "rest-0": [0.0, 1.0], "short-0": [0.0]}


def test_silence_is_left_out(tmp_path, small_params, data):
    faint = 10 ** (-90 / 20)  # a sine, so 3 dB less by RMS: no more than dither
    entries = [recording(tmp_path, "violin", "silent", level=0), recording(tmp_path, "violin", "faint", level=faint)]
    half = recording(tmp_path, "violin", "half", seconds=2.0)
    y, _ = soundfile.read(half.path)
    y[:RATE] = 0
    soundfile.write(half.path, y, RATE)
    bounds = replace(small_params.balance, test_share=0.0)
    clips = make(replace(small_params, balance=bounds), [*entries, half], data)
    assert [(Path(c.path).stem, c.onset) for c in clips if c.source == RECORDING] == [("half-0", 1.0)]


def test_training_and_tests_have_their_own_hops(tmp_path, small_params, data):
    chosen = replace(small_params.selection, hop_share=1.0, test_hop_share=0.25)
    entries = [recording(tmp_path, "violin", f"v{group}", seconds=2.0) for group in range(2)]
    clips = make(replace(small_params, selection=chosen), entries, data)
    onsets = {
        split: [clip.onset for clip in clips if clip.split == split and clip.source == RECORDING]
        for split in ("train", "recordings")
    }
    assert onsets["train"] == [0.0, 1.0]
    assert onsets["recordings"] == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0], abs=1e-3)


def test_with_onset_a_recording_gives_one_clip_at_its_attack(tmp_path, small_params, data):
    entry = recording(tmp_path, "violin", "anna", seconds=4.0)
    y, _ = soundfile.read(entry.path)
    y[: 2 * RATE] *= 0.01
    soundfile.write(entry.path, y, RATE)
    params = replace(small_params, selection=replace(small_params.selection, start="onset"))
    (clip,) = (clip for clip in make(params, [entry], data) if clip.source == RECORDING)
    assert clip.onset == pytest.approx(2.0, abs=0.005)
