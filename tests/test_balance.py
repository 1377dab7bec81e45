"""From whatever the user has to exact quotas, groups never across splits, independent of any order."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instrec import balance
from instrec.manifest import CLEAN, NOISY, RECORDING, SCORE
from instrec.sources.index import MIDI, RECORDINGS, Entry
from instrec.yardstick import TEST_SETS

CLASSES = ("violin", "flute", "piano", "drums")
RATE = 22050


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two frozen scores; balance reads only their names."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("solo/violin-000.mid", "mixture/2-000-flute+piano.mid"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


def recording(folder: Path, label: str, group: str, number: int = 0, *, seconds: float = 1.0, level=0.1) -> Entry:
    """A file of noise in the class's folder."""
    path = folder / label / f"{group}-{number}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * np.random.default_rng(number).uniform(-1, 1, round(seconds * RATE)), RATE)
    return Entry(RECORDINGS, path.as_posix(), 0.0, seconds, (label,), group)


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
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_quotas(params, clips) -> None:
    bounds = params.balance
    for split, solos, mixtures in (
        ("train", bounds.train_per_class, bounds.train_mixtures),
        ("valid", bounds.valid_per_class, bounds.valid_mixtures),
    ):
        counted = Counter(clip.labels if len(clip.labels) == 1 else "mixture" for clip in clips if clip.split == split)
        assert counted == {**{(name,): solos for name in params.classes}, "mixture": mixtures}


# ---- nothing but scores


def test_without_recordings_all_is_synthesised(small_params, data):
    clips = balance.make(small_params, [], data)
    assert_quotas(small_params, clips)
    assert {clip.source for clip in clips} == {SCORE}
    assert {clip.split for clip in clips} == {"train", "valid", *(each.name for each in TEST_SETS)}
    assert len({clip.id for clip in clips}) == len(clips)


def test_mixtures_have_none_two_and_three_instruments_in_equal_parts(small_params, data):
    clips = balance.make(small_params, [], data)
    counts = Counter(len(clip.labels) for clip in clips if clip.split == "train" and "/mixture/" in clip.id)
    assert counts == {0: 3, 2: 3, 3: 3}


def test_soundfonts_have_equal_parts_and_the_unseen_one_is_unseen(small_params, data):
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2"), valid=("c.sf2",))
    clips = balance.make(replace(small_params, soundfonts=fonts), [], data)
    heard = Counter((clip.split, clip.soundfont) for clip in clips)
    # Six clips a class and nine mixtures, in turn.
    assert abs(heard["train", "a.sf2"] - heard["train", "b.sf2"]) <= 1
    assert {font for split, font in heard if split == "train"} == {"a.sf2", "b.sf2"}
    assert {font for split, font in heard if split == "valid"} == {"c.sf2"}
    for test_set in TEST_SETS:
        expected = {fonts.unseen} if test_set.unseen else {"a.sf2", "b.sf2"}
        assert {font for split, font in heard if split == test_set.name} == expected
    without = balance.make(replace(small_params, soundfonts=replace(fonts, valid=())), [], data)
    assert {clip.soundfont for clip in without if clip.split == "valid"} == {"a.sf2", "b.sf2"}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_noisy_share_is_near_what_was_asked_for(small_params, data, share):
    bounds = replace(small_params.balance, train_per_class=300, train_mixtures=300, noisy_share=share)
    clips = balance.make(replace(small_params, balance=bounds), [], data)
    for part in (*(f"train/solo/{name}" for name in CLASSES), "train/mixture"):
        noises = [clip.noise for clip in clips if clip.id.startswith(part)]
        assert len(noises) == 300
        assert set(noises) <= {CLEAN, NOISY}
        assert np.mean([noise == NOISY for noise in noises]) == pytest.approx(share, abs=0.1)  # 3.5 sigma


def test_the_test_sets_hold_the_same_scores_in_the_same_order(small_params, data):
    clips = balance.make(small_params, [], data)
    parts = [[clip for clip in clips if clip.split == each.name] for each in TEST_SETS]
    for test_set, part in zip(TEST_SETS, parts, strict=True):
        assert [(Path(clip.path).name, clip.labels) for clip in part] == [
            ("violin-000.mid", ("violin",)),
            ("2-000-flute+piano.mid", ("flute", "piano")),
        ]
        assert {clip.noise for clip in part} == {test_set.noise}
        assert [clip.id for clip in part] == [
            f"{test_set.name}/solo/violin-000",
            f"{test_set.name}/mixture/2-000-flute+piano",
        ]


# ---- scores and recordings of the user


@many
@given(entries=ENTRIES)
def test_quotas_are_met_exactly_whatever_there_is(small_params, data, entries):
    clips = balance.make(small_params, entries, data)
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
    for clip in balance.make(small_params, entries, data):
        if clip.split not in tests:
            splits.setdefault(clip.group, set()).add(clip.split)
    assert all(len(each) == 1 for each in splits.values())


@many
@given(entries=ENTRIES, mixer=st.randoms(use_true_random=False))
def test_neither_the_files_nor_the_classes_order_matters(small_params, data, entries, mixer):
    def rows(classes, entries):
        clips = balance.make(replace(small_params, classes=tuple(classes)), entries, data)
        return {replace(clip, labels=tuple(sorted(clip.labels))) for clip in clips}

    expected = rows(CLASSES, entries)
    assert rows(mixer.sample(CLASSES, 4), mixer.sample(entries, len(entries))) == expected


def test_labels_come_in_the_order_of_the_classes(small_params, data):
    classes = ("piano", "drums", "violin", "flute")
    entries = [Entry(MIDI, "midi/a.mid", 0.0, 1.0, ("violin", "drums", "piano"), "midi/a.mid")]
    for clip in balance.make(replace(small_params, classes=classes), entries, data):
        assert list(clip.labels) == sorted(clip.labels, key=classes.index)


def test_a_class_with_too_many_is_thinned_and_one_with_too_few_filled_up(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}", number) for group in range(5) for number in range(8)]
    entries += [recording(tmp_path, "flute", f"f{group}") for group in range(5)]
    clips = balance.make(small_params, entries, data)
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
    tests = [clip for clip in balance.make(small_params, entries, data) if clip.split == "recordings"]
    assert len(tests) == 9
    assert {(clip.source, clip.noise, len({clip.group})) for clip in tests} == {(RECORDING, CLEAN, 1)}


def test_a_single_group_trains(tmp_path, small_params, data):
    clips = balance.make(small_params, [recording(tmp_path, "violin", "anna")], data)
    assert [clip.split for clip in clips if clip.source == RECORDING] == ["train"]


def test_no_share_for_tests_gives_no_test_set(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}") for group in range(4)]
    bounds = replace(small_params.balance, test_share=0.0, valid_share=0.0)
    clips = balance.make(replace(small_params, balance=bounds), entries, data)
    assert {clip.split for clip in clips if clip.source == RECORDING} == {"train"}


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
    for clip in balance.make(params, entries, data):
        if clip.source == RECORDING:
            onsets.setdefault(Path(clip.path).stem, []).append(clip.onset)
    assert onsets == {"long-0": [0.0, 1.0, 2.0, 3.0], "rest-0": [0.0, 1.0], "short-0": [0.0]}


def test_silence_is_left_out(tmp_path, small_params, data):
    faint = 10 ** (-70 / 20)
    entries = [recording(tmp_path, "violin", "silent", level=0), recording(tmp_path, "violin", "faint", level=faint)]
    half = recording(tmp_path, "violin", "half", seconds=2.0)
    y, _ = soundfile.read(half.path)
    y[:RATE] = 0
    soundfile.write(half.path, y, RATE)
    bounds = replace(small_params.balance, test_share=0.0)
    clips = balance.make(replace(small_params, balance=bounds), [*entries, half], data)
    assert [(Path(c.path).stem, c.onset) for c in clips if c.source == RECORDING] == [("half-0", 1.0)]
