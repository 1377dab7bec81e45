"""Who plays together: classes of the model, each once, as many as were asked for where an ensemble has so many."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus import ensembles
from instrec.taxonomy import INSTRUMENTS


@given(st.integers(0, 2**32), st.integers(2, 8))
def test_as_many_different_classes_as_asked_for(full_params, seed, count):
    chosen = ensembles.draw(np.random.default_rng(seed), full_params.classes, count)
    assert len(chosen) == len(set(chosen)) == count
    assert set(chosen) <= set(full_params.classes)


@given(st.integers(0, 2**32), st.sets(st.sampled_from(("violin", "drums", "cor_anglais", "oboe"))), st.integers(2, 5))
def test_classes_that_no_ensemble_has_play_in_none(seed, classes, count):
    chosen = ensembles.draw(np.random.default_rng(seed), tuple(classes), count)
    assert set(chosen) <= classes - {"cor_anglais"}
    assert len(chosen) in (0, count)


def test_a_bass_guitar_plays_with_drums_far_more_often_than_with_a_cello(full_params):
    rng = np.random.default_rng(0)
    drawn = [ensembles.draw(rng, full_params.classes, 3) for _ in range(2000)]
    beside = Counter(other for names in drawn if "electric_bass" in names for other in names)
    assert beside["drums"] > 100
    assert beside["cello"] == 0


@pytest.mark.parametrize("wide", [False, True])
def test_every_class_plays_in_some(full_params, wide):
    classes = tuple(INSTRUMENTS.keys() - {"cor_anglais"}) if wide else full_params.classes
    rng = np.random.default_rng(0)
    counted = Counter(name for _ in range(2000) for name in ensembles.draw(rng, classes, 3))
    assert min(counted[name] for name in classes) > 40
