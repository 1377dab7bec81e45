"""Datasets keep partitions of their own."""

from collections import Counter
from dataclasses import replace

import numpy as np
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus.index import RECORDINGS, Entry
from instrec.corpus.manifest import RECORDING
from instrec.taxonomy import PROGRAMS
from tests.corpus.balance.making import CLASSES, RATE, make, many, recording


def of_corpus(entry: Entry, source: str, split: str, *labels: str) -> Entry:
    return replace(entry, source=source, split=split, labels=labels or entry.labels, group=f"{source}/{entry.group}")


def test_a_data_sets_own_partition_is_kept(tmp_path, small_params, data):
    files = [recording(tmp_path, "violin", f"v{number}", seconds=2.0) for number in range(16)]
    entries = [of_corpus(entry, "irmas", "train") for entry in files[:8]]
    entries += [of_corpus(entry, "irmas", "valid") for entry in files[8:10]]
    entries += [of_corpus(entry, "irmas", "test", "violin", "piano") for entry in files[10:12]]
    entries += [of_corpus(entry, "irmas", "test") for entry in files[12:]]
    bounds = replace(small_params.balance, train_per_class=50, valid_per_class=50, test_share=0.5, valid_share=0.25)
    clips = [clip for clip in make(replace(small_params, balance=bounds), entries, data) if clip.source == RECORDING]
    paths = {split: {clip.path for clip in clips if clip.split == split} for split in ("train", "valid", "irmas")}
    assert set().union(*paths.values()) == {entry.path for entry in entries}
    assert paths["irmas"] == {entry.path for entry in entries[10:]}
    assert paths["valid"] > {entry.path for entry in entries[8:10]}
    assert len(paths["train"]) == 6  # a quarter of eight groups validates, none tests
    kinds = Counter(clip.id.split("/")[1] for clip in clips if clip.split == "irmas")
    assert kinds == {"excerpt": 6 * 3}  # as some have several labels, all are asked about several
    for clip in clips:
        assert clip.id == f"{clip.split}/{clip.id.split('/')[1]}/{clip.path}@{clip.onset:08.2f}"
    clips = make(small_params, [entry for entry in entries if len(entry.labels) == 1], data)
    assert {clip.id.split("/")[1] for clip in clips if clip.split == "irmas"} == {"solo"}


def test_a_data_set_without_one_is_split_by_groups_with_a_test_set_of_its_own(tmp_path, small_params, data):
    files = [recording(tmp_path, "violin", f"v{number}") for number in range(10)]
    entries = [*files[:5], *(of_corpus(entry, "tinysol", "") for entry in files[5:])]
    clips = [clip for clip in make(small_params, entries, data) if clip.source == RECORDING]
    assert Counter((clip.split, "tinysol" in clip.group) for clip in clips) == {
        (split, own): count
        for own, test in ((False, "recordings"), (True, "tinysol"))
        for split, count in (("train", 3), ("valid", 1), (test, 1))
    }


def test_programs_are_tested_on_data_sets_of_instruments_but_do_not_learn_from_them(tmp_path, small_params, data):
    file = recording(tmp_path, "violin", "anna", seconds=2.0)
    entries = [
        of_corpus(file, "irmas", "test", "violin", "cello"),
        of_corpus(replace(file, group="bob"), "irmas", "train"),
        of_corpus(replace(file, group="carl"), "irmas", "test", "drums"),  # no program stands for them
    ]
    clips = make(replace(small_params, classes=tuple(PROGRAMS)), entries, data)
    assert {(clip.split, clip.labels) for clip in clips if clip.source == RECORDING} == {("irmas", ("cello", "violin"))}


def test_where_another_class_may_sound_a_clip_is_no_solo(tmp_path, small_params, data):
    files = [recording(tmp_path, "violin", f"v{number}", seconds=2.0) for number in range(6)]
    entries = [of_corpus(entry, "openmic", "train") for entry in files[:4]]
    entries += [of_corpus(entry, "openmic", "test") for entry in files[4:]]
    unknown = ("piano", "flute", "oboe")  # the last is no class here
    entries = [replace(entry, unknown=unknown if number % 2 else ()) for number, entry in enumerate(entries)]
    clips = [clip for clip in make(small_params, entries, data) if clip.source == RECORDING]
    for clip in clips:
        unsure = int(clip.group[-1]) % 2
        kind = "excerpt" if clip.split == "openmic" else "mixture" if unsure else "solo"
        assert clip.id.startswith(f"{clip.split}/{kind}/")
        assert (clip.labels, clip.unknown) == (("violin",), ("flute", "piano") if unsure else ())
    assert len({(clip.split, bool(clip.unknown)) for clip in clips}) >= 4
    no_mixtures = replace(small_params.balance, train_mixtures=0, valid_mixtures=0)
    clips = make(replace(small_params, balance=no_mixtures), entries, data)
    assert not [clip for clip in clips if clip.unknown and clip.split != "openmic"]


def test_programs_are_unknown_where_their_instrument_is(tmp_path, small_params, data):
    """In training each of them, in tests the instrument."""
    file = recording(tmp_path, "violin", "anna", seconds=2.0)
    entries = [
        replace(of_corpus(file, "openmic", "train"), unknown=("piano", "gm_125")),
        replace(of_corpus(replace(file, group="bob"), "openmic", "test"), unknown=("piano", "gm_125")),
    ]
    params = replace(small_params, classes=("gm_125", "gm_001", "violin", "gm_000", "gm_073"))
    clips = [clip for clip in make(params, entries, data) if clip.source == RECORDING]
    assert {(clip.split, clip.unknown) for clip in clips} == {
        ("train", ("gm_125", "gm_001", "gm_000")),
        ("openmic", ("piano",)),
    }


CORPORA = st.lists(
    st.builds(
        Entry,
        source=st.sampled_from([RECORDINGS, "irmas", "tinysol"]),
        path=st.just(""),
        onset=st.just(0.0),
        duration=st.just(1.0),
        labels=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=2, unique=True).map(tuple),
        group=st.sampled_from("abcdefgh"),
        split=st.sampled_from(["", "train", "valid", "test"]),
    ),
    max_size=30,
).map(lambda entries: [replace(e, split="") if e.source == RECORDINGS else e for e in entries])


@many
@given(entries=CORPORA)
def test_no_group_is_both_learned_from_and_tested_on_nor_trained_and_validated_on(
    tmp_path, small_params, data, entries
):
    """Even where groups of several datasets have one name, and partitions contradict each other."""
    path = tmp_path / "a.wav"
    if not path.exists():
        soundfile.write(path, 0.1 * np.ones(RATE // 10), RATE)
    entries = [replace(entry, path=path.as_posix()) for entry in entries]
    bounds = replace(small_params.balance, train_per_class=99, train_mixtures=99, test_share=0.3)
    clips = make(replace(small_params, balance=bounds), entries, data)
    splits: dict[str, set[str]] = {}
    for clip in clips:
        if clip.source == RECORDING:
            splits.setdefault(clip.group, set()).add(clip.split if clip.split in ("train", "valid") else "test")
    assert all(len(each) == 1 for each in splits.values())
    for name in ("irmas", "tinysol"):
        tested = {entry.group for entry in entries if entry.source == name and entry.split == "test"}
        assert tested <= {clip.group for clip in clips if clip.split == name}
