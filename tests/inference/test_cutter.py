"""A stream is cut into windows without a gap, whatever its blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from instrec.inference.cutter import BATCH, LAST, Cutter


@given(
    lengths=st.lists(st.integers(1, 40), max_size=12),
    window=st.integers(1, 25),
    share=st.floats(0.01, 1.0),
    least=st.sampled_from([1, 3, BATCH]),
    parts=st.sampled_from([(), (2,)]),
)
def test_windows_cover_every_sample_however_the_stream_is_cut(lengths, window, share, least, parts):
    hop = max(1, round(window * share))
    y = np.arange(1, np.prod((sum(lengths), *parts)) + 1, dtype=np.float32).reshape(-1, *parts)
    cutter = Cutter(window, hop, least=least)
    blocks = np.split(y, np.cumsum(lengths)[:-1]) if lengths else []
    cut = [each for block in blocks for each in cutter.add(block)]
    assert not cut or min(len(part) for _, part in cut) >= window + (least - 1) * hop
    end = list(cutter.end())
    assert all(len(part) <= window + (LAST - 1) * hop for _, part in end)
    cut += end
    covered = np.zeros(len(y), bool)
    onsets: list[int] = []
    for onset, part in cut:
        np.testing.assert_array_equal(part, y[onset : onset + len(part)])
        covered[onset : onset + len(part)] = True
        assert (len(part) - window) % hop == 0 or len(part) == len(y)
        onsets += range(onset, onset + max(1, len(part) - window + 1), hop)
    assert covered.all()
    assert onsets[:-1] == [index * hop for index in range(len(onsets) - 1)]
    assert not cut or cut[-1][0] + len(cut[-1][1]) == len(y)
