"""From whatever the user has to exact quotas, groups never across splits, independent of any order."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus.index import MIDI, Entry
from instrec.corpus.manifest import CLEAN, RECORDING, SCORE
from instrec.corpus.test_sets import TEST_SETS
from tests.corpus.balance.making import CLASSES, assert_quotas, make, many, recording

ENTRIES = st.lists(
    st.builds(
        Entry,
        source=st.just(MIDI),  # cut when they were read: no file is opened
        path=st.from_regex(r"midi/[a-h]\.mid", fullmatch=True),
        onset=st.integers(0, 20).map(float),
        duration=st.just(1.0),
        labels=st.lists(st.sampled_from([*CLASSES, "oboe"]), min_size=1, max_size=3, unique=True).map(tuple),
        group=st.just(""),
    ).map(lambda entry: replace(entry, group=entry.path)),
    unique_by=lambda entry: (entry.path, entry.onset),
    max_size=60,
)


@many
@given(entries=ENTRIES)
def test_quotas_are_met_exactly_whatever_there_is(small_params, data, entries):
    clips = make(small_params, entries, data)
    assert_quotas(small_params, clips)
    assert len({clip.id for clip in clips}) == len(clips)
    assert all(set(clip.labels) <= set(CLASSES) for clip in clips)
    # Scores that the user brings train: test set `recordings` holds real sound alone.
    assert "recordings" not in {clip.split for clip in clips}
    assert all(clip.soundfont for clip in clips)


@many
@given(entries=ENTRIES)
def test_groups_never_cross_splits(small_params, data, entries):
    tests = {each.name for each in TEST_SETS}
    splits: dict[str, set[str]] = {}
    for clip in make(small_params, entries, data):
        if clip.split not in tests:
            splits.setdefault(clip.group, set()).add(clip.split)
    assert all(len(each) == 1 for each in splits.values())


@many
@given(entries=ENTRIES, mixer=st.randoms(use_true_random=False))
def test_neither_the_files_nor_the_classes_order_matters(small_params, data, entries, mixer):
    def rows(classes, entries):
        clips = make(replace(small_params, classes=tuple(classes)), entries, data)
        return {replace(clip, labels=tuple(sorted(clip.labels))) for clip in clips}

    expected = rows(CLASSES, entries)
    assert rows(mixer.sample(CLASSES, 4), mixer.sample(entries, len(entries))) == expected


def test_labels_come_in_the_order_of_the_classes(small_params, data):
    classes = ("piano", "drums", "violin", "flute")
    entries = [Entry(MIDI, "midi/a.mid", 0.0, 1.0, ("violin", "drums", "piano"), "midi/a.mid")]
    for clip in make(replace(small_params, classes=classes), entries, data):
        assert list(clip.labels) == sorted(clip.labels, key=classes.index)


def test_a_class_with_too_many_is_thinned_and_one_with_too_few_filled_up(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}", number) for group in range(5) for number in range(8)]
    entries += [recording(tmp_path, "flute", f"f{group}") for group in range(5)]
    clips = make(small_params, entries, data)
    assert_quotas(small_params, clips)
    sources = Counter((clip.split, clip.labels, clip.source) for clip in clips if len(clip.labels) == 1)
    assert sources["train", ("violin",), RECORDING] == 6
    assert sources["train", ("violin",), SCORE] == 0
    assert sources["train", ("flute",), RECORDING] == 3  # five groups: one tests, one validates
    assert sources["train", ("flute",), SCORE] == 3
    assert sources["valid", ("flute",), RECORDING] == 1
    assert sources["train", ("piano",), RECORDING] == 0
    groups: dict[str, set[str]] = {}
    for clip in clips:
        if clip.source == RECORDING:
            groups.setdefault(clip.group, set()).add(clip.split)
            assert clip.soundfont == ""
    assert all(len(splits) == 1 for splits in groups.values())


def test_the_recordings_test_set_is_clean_and_not_thinned(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}", number) for group in range(2) for number in range(9)]
    tests = [clip for clip in make(small_params, entries, data) if clip.split == "recordings"]
    assert len(tests) == 9
    assert {(clip.source, clip.noise, len({clip.group})) for clip in tests} == {(RECORDING, CLEAN, 1)}


def test_a_single_group_trains(tmp_path, small_params, data):
    clips = make(small_params, [recording(tmp_path, "violin", "anna")], data)
    assert [clip.split for clip in clips if clip.source == RECORDING] == ["train"]


def test_no_share_for_tests_gives_no_test_set(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}") for group in range(4)]
    bounds = replace(small_params.balance, test_share=0.0, valid_share=0.0)
    clips = make(replace(small_params, balance=bounds), entries, data)
    assert {clip.split for clip in clips if clip.source == RECORDING} == {"train"}


def test_workers_change_nothing(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}", seconds=2.0) for group in range(20)]
    one, two = (make(replace(small_params, workers=workers), entries, data) for workers in (1, 2))
    assert one == two
