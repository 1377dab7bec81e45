"""Recordings are cut at their onset and leveled."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from instrec.corpus.manifest import RECORDING
from tests.synthesis.rendering.clips import CLIP, PEAK, RATE, hertz, tone


def test_a_recording_is_cut_at_its_onset_and_levelled(tmp_path, render):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.concatenate([tone(440, 1.5), tone(1000, 1.5)]), 44100)
    clip = replace(CLIP, source=RECORDING, path=str(path), soundfont="")
    first, second = render(replace(clip, onset=0.25)), render(replace(clip, onset=1.75))
    assert (hertz(first), hertz(second)) == (pytest.approx(440, abs=1.5), pytest.approx(1000, abs=1.5))
    both = render(replace(clip, onset=1.0))
    assert hertz(both[: RATE // 2]) == pytest.approx(440, abs=2.5)
    assert hertz(both[RATE // 2 :]) == pytest.approx(1000, abs=2.5)
    for y in (first, second, both):
        assert len(y) == RATE
        assert abs(np.abs(y.astype(int)).max() - PEAK) <= 1


def test_a_short_recording_is_followed_by_silence(tmp_path, render):
    soundfile.write(tmp_path / "a.wav", tone(440, 0.4), 44100)
    y = render(replace(CLIP, source=RECORDING, path=f"{tmp_path}/a.wav"))
    assert len(y) == RATE
    assert y[: round(0.39 * RATE)].any()
    assert not y[round(0.41 * RATE) :].any()
