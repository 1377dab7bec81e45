"""From whatever the user has to exact quotas, groups never across splits, independent of any order."""

import shutil
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instrec.corpus import balance
from instrec.corpus.index import MIDI, RECORDINGS, Entry
from instrec.corpus.manifest import CLEAN, NOISY, RECORDING, SCORE
from instrec.corpus.soundfont_programs import Held
from instrec.corpus.test_sets import COMPOSED, TEST_SETS
from instrec.errors import UserError
from instrec.synthesis.soundfonts import catalog
from instrec.taxonomy import PROGRAMS

CLASSES = ("violin", "flute", "piano", "drums")
RATE = 22050
ALL = Held(frozenset(range(128)), frozenset({0}))


def held(params, **others: Held) -> dict[str, Held]:
    """SoundFonts that hold all programs and a kit, but for `others`, named without their endings."""
    return dict.fromkeys(params.soundfonts.all, ALL) | {f"{name}.sf2": own for name, own in others.items()}


def make(params, entries, data, **others: Held):
    return balance.make(params, entries, data, held(params, **others))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Frozen scores; balance reads only their names, and the length of excerpts."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("solo/violin-000.mid", "solo/tuba-000.mid", "mixture/2-000-flute+piano.mid"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    score = pretty_midi.PrettyMIDI(initial_tempo=120)
    score.instruments = [pretty_midi.Instrument(0)]
    score.instruments[0].notes = [pretty_midi.Note(90, 60, 0.0, 2.5)]
    (folder / "excerpt").mkdir()
    score.write(str(folder / "excerpt/000-piano.mid"))
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
    clips = make(small_params, [], data)
    assert_quotas(small_params, clips)
    assert {clip.source for clip in clips} == {SCORE}
    assert {clip.split for clip in clips} == {"train", "valid", *(each.name for each in TEST_SETS)}
    assert len({clip.id for clip in clips}) == len(clips)


def test_mixtures_have_none_two_and_three_instruments_in_equal_parts(small_params, data):
    clips = make(small_params, [], data)
    counts = Counter(len(clip.labels) for clip in clips if clip.split == "train" and "/mixture/" in clip.id)
    assert counts == {0: 3, 2: 3, 3: 3}


def test_soundfonts_have_equal_parts_and_the_unseen_one_is_unseen(small_params, data):
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2"), valid=("c.sf2",))
    clips = make(replace(small_params, soundfonts=fonts), [], data)
    heard = Counter((clip.split, clip.soundfont) for clip in clips)
    # Six clips per class and nine mixtures, in turn.
    assert abs(heard["train", "a.sf2"] - heard["train", "b.sf2"]) <= 1
    assert {font for split, font in heard if split == "train"} == {"a.sf2", "b.sf2"}
    assert {font for split, font in heard if split == "valid"} == {"c.sf2"}
    for test_set in TEST_SETS:
        expected = {fonts.unseen} if test_set.unseen else {"a.sf2", "b.sf2"}
        assert {font for split, font in heard if split == test_set.name} == expected
    without = make(replace(small_params, soundfonts=replace(fonts, valid=())), [], data)
    assert {clip.soundfont for clip in without if clip.split == "valid"} == {"a.sf2", "b.sf2"}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_noisy_share_is_near_what_was_asked_for(small_params, data, share):
    bounds = replace(small_params.balance, train_per_class=300, train_mixtures=450, noisy_share=share)
    clips = [clip for clip in make(replace(small_params, balance=bounds), [], data) if clip.split == "train"]
    for part in (*(f"train/solo/{name}" for name in CLASSES), "train/mixture"):
        noises = [clip.noise for clip in clips if clip.id.startswith(part) and clip.labels]
        assert len(noises) == 300
        assert set(noises) <= {CLEAN, NOISY}
        assert np.mean([noise == NOISY for noise in noises]) == pytest.approx(share, abs=0.1)  # 3.5 sigma
    # Without instruments noise is all there is, if there is any.
    assert {clip.noise for clip in clips if not clip.labels} == {NOISY if share else CLEAN}


def test_the_test_sets_hold_the_same_scores_in_the_same_order(small_params, data):
    clips = make(small_params, [], data)
    for test_set in TEST_SETS[:4]:
        part = [clip for clip in clips if clip.split == test_set.name]
        assert [(Path(clip.path).name, clip.labels) for clip in part] == [
            ("violin-000.mid", ("violin",)),
            ("2-000-flute+piano.mid", ("flute", "piano")),
        ]
        assert {clip.noise for clip in part} == {test_set.noise}
        assert [clip.id for clip in part] == [
            f"{test_set.name}/solo/violin-000",
            f"{test_set.name}/mixture/2-000-flute+piano",
        ]


def test_an_excerpt_is_asked_about_as_a_whole(small_params, data):
    """Clips of a second, half a second apart, wherever clips of recordings start."""
    for start in ("hop", "onset"):
        chosen = replace(small_params.selection, start=start)
        clips = make(replace(small_params, selection=chosen), [], data)
        windows = [clip for clip in clips if clip.split == "unseen_excerpts"]
        assert [clip.onset for clip in windows] == [0.0, 0.5, 1.0, 1.5]
        assert [clip.id for clip in windows][1] == "unseen_excerpts/excerpt/000-piano@00000.50"
        assert {(clip.labels, clip.group, clip.soundfont, clip.noise) for clip in windows} == {
            (("piano",), "excerpt/000-piano", small_params.soundfonts.unseen, CLEAN)
        }


def test_programs_are_asked_about_the_instruments_that_they_stand_for(small_params, data):
    clips = make(replace(small_params, classes=tuple(PROGRAMS)), [], data)
    asked = {clip.labels for clip in clips if clip.split in {each.name for each in TEST_SETS}}
    assert asked == {("violin",), ("tuba",), ("flute", "piano"), ("piano",)}
    assert {name for clip in clips if clip.split == "train" for name in clip.labels} == set(PROGRAMS)


def test_programs_that_stand_for_no_instrument_are_asked_nothing_by_the_frozen_scores(small_params, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data/mixture/0-000-silence.mid").touch()
    clips = make(replace(small_params, classes=("gm_120", "gm_121", "gm_122")), [], tmp_path / "data")
    assert {clip.split for clip in clips} == {"train", "valid"}


# ---- SoundFonts that lack programs


@pytest.fixture
def three_fonts(small_params):
    """`b.sf2` has no piano, `c.sf2` no drums, violin or flute."""
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    bounds = replace(small_params.balance, composed_per_class=6, composed_mixtures=12)
    lacking = {"b": Held(ALL.programs - {2}, ALL.kits), "c": Held(frozenset({0, 1, 2, 5}), frozenset())}
    return replace(small_params, soundfonts=fonts, balance=bounds), lacking


def test_no_clip_is_played_by_a_soundfont_that_lacks_its_programs(three_fonts, data):
    params, lacking = three_fonts
    clips = make(params, [], data, **lacking)
    first = [clip for clip in clips if clip.split == "train"]
    clips += [clip for number in (1, 2) for clip in balance.round_clips(params, first, number, held(params, **lacking))]
    fonts: dict[str, set[str]] = {}
    for clip in clips:
        if not clip.split.startswith("unseen"):
            for label in clip.labels or ("silence",):
                fonts.setdefault(label, set()).add(clip.soundfont)
    assert fonts == {
        "violin": {"a.sf2", "b.sf2"},
        "flute": {"a.sf2", "b.sf2"},
        "drums": {"a.sf2", "b.sf2"},
        "piano": {"a.sf2", "c.sf2"},
        "silence": {"a.sf2", "b.sf2", "c.sf2"},
    }
    # Those that can take turns.
    solos = Counter(clip.soundfont for clip in first if clip.labels == ("piano",))
    assert solos == {"a.sf2": 3, "c.sf2": 3}


def test_what_a_soundfont_lacks_changes_no_other_row(three_fonts, data):
    params, lacking = three_fonts
    whole, chosen = make(params, [], data), make(params, [], data, b=lacking["b"])
    for one, other in zip(whole, chosen, strict=True):
        assert replace(one, soundfont="") == replace(other, soundfont="")
        assert one == other or "piano" in one.labels


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"sf_GMbank": Held(ALL.programs - {1}, ALL.kits)}, r"plays piano: sf_GMbank\.sf2 lacks program 1 \(piano\)"),
        ({"TimGM6mb": Held(ALL.programs - {40}, ALL.kits)}, r"TimGM6mb\.sf2 lacks program 40 \(violin\)"),
        ({"TimGM6mb": Held(frozenset(), ALL.kits)}, r"TimGM6mb\.sf2 lacks program"),
        ({"sf_GMbank": Held(ALL.programs, frozenset())}, r"sf_GMbank\.sf2 lacks a drum kit"),
    ],
)
def test_a_class_that_no_soundfont_plays_is_told(small_params, data, lacking, words):
    with pytest.raises(UserError, match=words):
        make(small_params, [], data, **lacking)


def test_a_soundfont_that_the_table_does_not_list_is_told(small_params, data):
    with pytest.raises(UserError, match=r"soundfonts\.csv: does not list sf_GMbank\.sf2.*dvc repro download"):
        balance.make(small_params, [], data, {"TimGM6mb.sf2": ALL})


def test_of_128_programs_none_is_a_piano_under_anothers_label(full_params, data):
    """With the installed SoundFonts; FreePats has 40 of the programs."""
    bounds = replace(full_params.balance, train_per_class=10, train_mixtures=300, composed_mixtures=40)
    fonts = full_params.soundfonts
    params = replace(full_params, classes=tuple(PROGRAMS), balance=bounds)
    installed = catalog.held(fonts.all, fonts.folders)
    clips = balance.make(params, [], data, installed)
    first = [clip for clip in clips if clip.split == "train"]
    clips += balance.round_clips(params, first, 1, installed)
    assert {clip.soundfont for clip in clips if len(clip.labels) == 1} == set(fonts.all)
    assert [clip.id for clip in clips if installed[clip.soundfont].lacks(clip.labels)] == []


# ---- composed test sets


def test_composed_test_sets_hold_the_same_scores_clean_and_noisy(small_params, data):
    bounds = replace(small_params.balance, composed_per_class=2, composed_mixtures=9)
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    plain = make(replace(small_params, soundfonts=fonts), [], data)
    clips = make(replace(small_params, soundfonts=fonts, balance=bounds), [], data)
    assert clips[: len(plain)] == plain
    clean, noisy = ([clip for clip in clips[len(plain) :] if clip.split == split] for split in COMPOSED)
    assert [clip.noise for clip in clean] == [CLEAN] * 17
    assert [
        replace(clip, id=clip.id.replace("clean", "noisy"), split="composed_noisy", noise=NOISY) for clip in clean
    ] == noisy
    assert [clip.id for clip in clean][:3] == [
        "composed_clean/solo/violin-00000",
        "composed_clean/solo/violin-00001",
        "composed_clean/solo/flute-00000",
    ]
    assert Counter(len(clip.labels) for clip in clean) == {0: 3, 1: 8 + 2, 2: 2, 3: 2}
    assert Counter(clip.soundfont for clip in clean) == {"a.sf2": 6, "b.sf2": 6, "c.sf2": 5}
    assert len({clip.group for clip in clips if not clip.path}) == len([clip for clip in clips if not clip.path]) - 17


# ---- rounds of the synthesis loop


def test_a_round_keeps_what_there_is_and_draws_the_rest_anew(tmp_path, small_params, data):
    fonts = replace(small_params.soundfonts, train=("a.sf2", "b.sf2", "c.sf2"))
    bounds = replace(small_params.balance, train_per_class=40, train_mixtures=120, noisy_share=0.5)
    params = replace(small_params, soundfonts=fonts, balance=bounds)
    entries = [recording(tmp_path, "violin", f"v{group}") for group in range(5)]
    entries.append(Entry(MIDI, "midi/a.mid", 3.0, 1.0, ("flute",), "midi/a.mid"))
    clips = make(params, entries, data)
    rounds = [balance.round_clips(params, clips, number, held(params)) for number in range(4)]
    assert rounds[0] == [clip for clip in clips if clip.split == "train"]
    assert rounds[1] == balance.round_clips(params, clips, 1, held(params))
    for other in rounds[1:]:
        assert_train_quotas(params, other)
        for before, after in zip(rounds[0], other, strict=True):
            assert len(before.labels) == len(after.labels)
            if before.path:
                assert before == after
            else:
                assert (after.split, after.source, after.path) == ("train", SCORE, "")
                assert after.id.split("/")[:2] == before.id.split("/")[:2]
        composed = [clip for clip in other if not clip.path]
        assert Counter(clip.soundfont for clip in composed) == {
            # The rotation goes on.
            fonts.train[(fonts.train.index(font) + rounds.index(other)) % 3]: count
            for font, count in Counter(clip.soundfont for clip in rounds[0] if not clip.path).items()
        }
        assert np.mean([clip.noise == NOISY for clip in composed]) == pytest.approx(0.5, abs=0.12)  # 4 sigma
    drawn = [clip.id for each in rounds for clip in each if not clip.path]
    assert len(set(drawn)) == len(drawn)
    mixed = [[clip.labels for clip in each if "/mixture/" in clip.id] for each in rounds]
    assert all(one != other for one, other in pairwise(mixed))


def assert_train_quotas(params, clips) -> None:
    counted = Counter(clip.labels if len(clip.labels) == 1 else "mixture" for clip in clips)
    bounds = params.balance
    expected = {(name,): bounds.train_per_class for name in params.classes}
    assert counted == {**expected, "mixture": bounds.train_mixtures}


# ---- scores and recordings of the user


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


# ---- where clips start


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


def test_workers_change_nothing(tmp_path, small_params, data):
    entries = [recording(tmp_path, "violin", f"v{group}", seconds=2.0) for group in range(20)]
    one, two = (make(replace(small_params, workers=workers), entries, data) for workers in (1, 2))
    assert one == two


# ---- datasets with partitions of their own


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
