"""Windows into files, halves by song, swept thresholds, programs for instruments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instrec.evaluation import metrics, protocols
from tests.refusals import refused

seeds = st.integers(0, 2**32 - 1)


def excerpts(seed: int, files: int = 40, classes: int = 4):
    """Labels of 1 to 3 classes, presence of 1 to 5 windows a file that knows them a little, and whose they are."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(1, 4, size=files)
    labels = (rng.random((files, classes)).argsort(axis=1) < wanted[:, None]).astype(np.uint8)
    windows = np.arange(files).repeat(rng.integers(1, 6, size=files))
    presence = (0.6 * rng.random((len(windows), classes)) + 0.3 * labels[windows]).astype(np.float32)
    return labels, presence, windows


def scores_of(presence, windows):
    s1 = protocols.mean(presence, windows)
    return {"s1": s1, "s2": protocols.relative(s1), "logits": protocols.mean_of_logits(presence, windows)}


class TestWindows:
    def test_an_onset_at_the_end_of_an_id_names_a_window(self):
        ids = ["x/excerpt/b@0000.00", "x/excerpt/a", "x/excerpt/b@0001.50", "x/excerpt/me@2", "x/excerpt/b@0003.00"]
        assert protocols.file_of(ids).tolist() == [0, 1, 0, 2, 0]

    def test_windows_of_noisy_twins_are_a_file_of_their_own(self):
        ids = ["x/solo/b@0000.00", "x/solo/b@0000.00-noisy", "x/solo/b@0001.50", "x/solo/b@0001.50-noisy"]
        assert protocols.file_of(ids).tolist() == [0, 1, 0, 1]

    def test_by_hand(self):
        """Two windows of one file: logits of .9 and .5 are log 9 and 0, half of log 9 is log 3."""
        presence = np.array([[0.9, 0.2, 0.0], [0.5, 0.2, 0.0]])
        both = np.array([0, 0])
        s1 = protocols.mean(presence, both)
        np.testing.assert_allclose(s1, [[0.7, 0.2, 0.0]])
        np.testing.assert_allclose(protocols.relative(s1), [[1.0, 2 / 7, 0.0]])
        np.testing.assert_allclose(protocols.mean_of_logits(presence, both), [[0.75, 0.2, 0.0]], atol=1e-6)

    @given(seeds)
    @settings(max_examples=30)
    def test_a_single_window_is_its_file(self, seed):
        presence = np.random.default_rng(seed).random((9, 5), np.float32)
        alone = np.arange(9)
        assert protocols.mean(presence, alone).tobytes() == presence.tobytes()
        np.testing.assert_allclose(protocols.mean_of_logits(presence, alone), presence, atol=1e-6)

    @given(seeds)
    @settings(max_examples=30)
    def test_neither_the_order_of_windows_nor_of_classes_matters(self, seed):
        _, presence, windows = excerpts(seed)
        rng = np.random.default_rng(seed)
        order, classes = rng.permutation(len(windows)), rng.permutation(4)
        shuffled = scores_of(presence[order][:, classes], windows[order])
        for name, scores in scores_of(presence, windows).items():
            np.testing.assert_allclose(shuffled[name], scores[:, classes], atol=1e-6)

    @given(seeds)
    @settings(max_examples=30)
    def test_s2_scales_each_file_and_so_ranks_its_classes_as_s1_does(self, seed):
        labels, presence, windows = excerpts(seed)
        s1, s2 = (scores_of(presence.astype(float), windows)[name] for name in ("s1", "s2"))
        np.testing.assert_allclose(s2 * s1.max(axis=1, keepdims=True), s1)
        assert (s2.max(axis=1) == 1).all()
        assert (s2.argsort(axis=1) == s1.argsort(axis=1)).all()
        assert metrics.lrap(labels, s2) == metrics.lrap(labels, s1)

    def test_a_file_without_any_presence_stays_so(self):
        assert protocols.relative(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]

    def test_certain_windows_have_a_mean(self):
        """Zero and one lie infinitely far out as logits; equally far, so that they cancel."""
        presence = np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)
        assert protocols.mean_of_logits(presence, np.array([0, 0]))[0] == pytest.approx([0.5, 1.0])


class TestAnswers:
    def test_an_instrument_sounds_when_any_of_its_programs_does(self):
        classes = ("gm_000", "gm_040", "gm_001", "gm_008")
        columns = protocols.answering(("violin", "piano"), classes)
        assert columns == [[1], [0, 2]]
        presence = np.array([[0.3, 0.1, 0.4, 0.9], [0.5, 0.7, 0.2, 0.0]])
        assert protocols.answers(presence, columns).tolist() == [[0.1, 0.4], [0.7, 0.5]]
        # .4 is the higher of the pianos, and yet the other one reaches its threshold.
        decisions = metrics.decide(presence, [0.25, 0.8, 0.5, 0.5])
        assert protocols.answers(decisions, columns).tolist() == [[0, 1], [0, 1]]

    def test_a_models_own_classes_answer_for_themselves_in_any_order(self):
        own = ("violin", "piano", "gm_040")
        assert protocols.answering(own, own) == [[0], [1], [2]]
        assert protocols.answering(("piano", "violin"), ("violin", "piano")) == [[1], [0]]

    def test_what_no_class_answers_for_is_told(self):
        with refused("class-missing", "", "drums", "params.yaml"):
            protocols.answering(("piano", "drums"), ("gm_000",))


class TestHalves:
    @given(st.lists(st.integers(0, 12), min_size=4, max_size=60), st.integers(0, 99))
    @settings(max_examples=60)
    def test_no_song_lies_in_both_and_neither_is_empty(self, songs, seed):
        songs = [f"song-{song}" for song in songs]
        labels = np.random.default_rng(seed).integers(0, 2, (len(songs), 3))
        half = protocols.development_half(labels, songs, seed)
        if len(set(songs)) == 1:
            assert not half.any()
            return
        chosen = {song for song, own in zip(songs, half, strict=True) if own}
        assert chosen.isdisjoint(song for song, own in zip(songs, half, strict=True) if not own)
        assert 0 < half.sum() < len(half)

    def test_they_depend_on_songs_and_seed_and_nothing_else(self):
        songs = [f"song-{number}" for number in range(30)]
        labels = np.eye(3, dtype=np.uint8)[np.arange(30) % 3]
        half = protocols.development_half(labels, songs, 1)
        assert half.sum() == 15
        assert protocols.development_half(labels[::-1], songs[::-1], 1)[::-1].tolist() == half.tolist()
        assert protocols.development_half(labels, songs, 2).tolist() != half.tolist()

    @given(seeds)
    @settings(max_examples=30)
    def test_each_class_is_about_as_often_in_both(self, seed):
        labels, _, _ = excerpts(seed, files=60)
        half = protocols.development_half(labels, [f"song-{file}" for file in range(60)], seed)
        difference = 2 * labels[half].sum(axis=0).astype(int) - labels.sum(axis=0)
        assert abs(difference).max() <= 5
        assert abs(2 * int(half.sum()) - 60) <= 6

    def test_long_songs_of_one_class_are_not_all_in_one(self):
        """By files alone, four files of a cello's song would stand against four of a drummer's."""
        labels = np.repeat(np.eye(2, dtype=np.uint8), 8, axis=0)
        songs = [f"song-{file // 4}" for file in range(16)]
        for seed in range(9):
            half = protocols.development_half(labels, songs, seed)
            assert labels[half].sum(axis=0).tolist() == [4, 4]

    def test_a_few_files_all_score_at_one_half(self):
        labels, presence, windows = excerpts(0, files=3)
        half = protocols.development_half(labels, ("a", "b", "c"), 0)
        for reading in protocols.readings(labels, scores_of(presence, windows), half):
            assert set(reading.thresholds.tolist()) == {0.5}
            assert reading.labels.tolist() == labels.tolist()


class TestThresholds:
    def test_by_hand(self):
        """The middle of what is equally good: from above .2 to .6 for the first class, up to .3 for the second."""
        labels = np.array([[0, 1, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0]], np.uint8)
        scores = np.array([[0.1, 0.3, 0.9], [0.2, 0.9, 0.8], [0.6, 0.4, 0.7], [0.9, 0.3, 0.6]])
        assert protocols.class_thresholds(labels, scores) == pytest.approx([0.401, 0.15, 0.5])
        # One for all: above .2 and up to .3 finds every label; what never occurs is found there as anywhere below .6.
        assert protocols.global_threshold(labels, scores) == pytest.approx([0.251] * 3)

    @given(seeds)
    @settings(max_examples=20)
    def test_no_point_of_the_grid_beats_the_chosen(self, seed):
        labels, presence, windows = excerpts(seed)
        for scores in scores_of(presence, windows).values():
            best = metrics.agreement(labels, metrics.decide(scores, protocols.global_threshold(labels, scores)))
            a_class = metrics.decide(scores, protocols.class_thresholds(labels, scores))
            reached = [figures[2] for figures in metrics.per_class(labels, a_class)]
            for threshold in protocols.GRID[::20]:
                decisions = metrics.decide(scores, threshold)
                assert metrics.agreement(labels, decisions)["micro_f1"] <= best["micro_f1"] + 1e-9
                others = metrics.per_class(labels, decisions)
                assert all(figures[2] <= most + 1e-9 for figures, most in zip(others, reached, strict=True))


class TestReadings:
    SONGS = tuple(f"song-{file // 2}" for file in range(40))

    def test_every_aggregation_meets_every_choice(self):
        labels, presence, windows = excerpts(3)
        half = protocols.development_half(labels, self.SONGS, 5)
        readings = protocols.readings(labels, scores_of(presence, windows), half)
        assert [reading.name for reading in readings] == [
            f"{aggregation}_{choice}" for aggregation in ("s1", "s2", "logits") for choice in ("global", "class")
        ]
        scored = ~half
        scores = scores_of(presence, windows)
        for reading in readings:
            assert reading.labels.tolist() == labels[scored].tolist()
            expected = metrics.decide(scores[reading.aggregation][scored], reading.thresholds)
            assert reading.decisions.tolist() == expected.tolist()
            assert len(set(reading.thresholds.tolist())) == 1 or reading.choice == protocols.A_CLASS

    @given(seeds)
    @settings(max_examples=20)
    def test_the_scored_half_has_no_say_in_thresholds(self, seed):
        labels, presence, windows = excerpts(seed)
        scores = scores_of(presence, windows)
        half = protocols.development_half(labels, self.SONGS, 5)
        scored = ~half
        changed = np.where(scored[:, None], 1 - labels, labels)
        before, after = (protocols.readings(each, scores, half) for each in (labels, changed))
        for one, other in zip(before, after, strict=True):
            assert one.thresholds.tolist() == other.thresholds.tolist()
            assert one.decisions.tolist() == other.decisions.tolist()
            assert one.labels.tolist() != other.labels.tolist()
