"""The frozen test scores are those that data.dvc names, and enough of them."""

import hashlib
import json
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import yaml

from instrec.corpus import test_sets
from instrec.scores import midi
from instrec.synthesis import noise
from instrec.taxonomy import CLASS_OF_PROGRAM, INSTRUMENTS, PROGRAMS
from tests.refusals import refused


@pytest.fixture(scope="module")
def frozen(repository) -> list[tuple[Path, tuple[str, ...]]]:
    return test_sets.score_files(repository / "data", tuple(INSTRUMENTS))


@pytest.fixture(scope="module")
def excerpts(repository) -> list[tuple[Path, tuple[str, ...]]]:
    return test_sets.score_files(repository / "data", tuple(INSTRUMENTS), (test_sets.EXCERPT,))


def test_the_scores_are_those_that_data_dvc_names(repository):
    """DVC's checksum of a folder is that of the list of its files and their checksums."""
    (tracked,) = yaml.safe_load((repository / "data.dvc").read_text())["outs"]
    files = sorted(path for path in (repository / "data").rglob("*") if path.is_file())
    listing = sorted(
        (
            {
                "md5": hashlib.md5(file.read_bytes()).hexdigest(),
                "relpath": file.relative_to(repository / "data").as_posix(),
            }
            for file in files
        ),
        key=lambda entry: entry["relpath"],
    )
    assert len(files) == tracked["nfiles"]
    assert sum(file.stat().st_size for file in files) == tracked["size"]
    assert hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir" == tracked["md5"]


def test_there_are_enough_of_every_kind(frozen, excerpts):
    solos = Counter(labels for file, labels in frozen if file.parent.name == "solo")
    assert solos.keys() == {(name,) for name in INSTRUMENTS}
    assert min(solos.values()) >= 30
    mixtures = Counter(len(labels) for file, labels in frozen if file.parent.name == "mixture")
    assert mixtures.keys() == {0, 1, 2, 3}
    assert min(mixtures.values()) >= 75
    playing = Counter(name for file, labels in frozen if file.parent.name == "mixture" for name in labels)
    assert playing.keys() == INSTRUMENTS.keys()
    assert min(playing.values()) >= 15
    assert Counter(len(labels) for _, labels in excerpts) == {1: 67, 2: 67, 3: 66}
    assert len({name for _, labels in excerpts for name in labels}) == 11  # the classes of IRMAS


def test_scores_that_were_there_from_the_beginning_are_still_the_same(repository, full_params):
    """Figures measured on others could not be compared: this checksum must never change."""
    total = hashlib.sha256()
    noises = json.loads((repository / "data" / test_sets.NOISE_FILE).read_text())
    for file, _ in test_sets.score_files(repository / "data", full_params.classes[:15]):
        total.update(file.read_bytes() + json.dumps(noises[f"{file.parent.name}/{file.name}"]).encode())
    assert total.hexdigest() == "3deb5b6be7b36f2add31f7d308e9dec37c7e20d1c41e5e64cd421ae0581374bf"


def test_mixtures_of_others_are_nothing_to_the_default_classes(frozen, full_params):
    others = [labels for file, labels in frozen if "-others-" in file.name]
    assert Counter(map(len, others)) == {1: 75, 2: 75, 3: 75}
    assert not any(set(labels) <= set(full_params.classes[:15]) for labels in others)


def test_an_excerpt_lasts_five_to_twenty_seconds_and_all_play_throughout(excerpts):
    for file, labels in excerpts:
        score = midi.load(file)
        end = max(note.end for track in score.instruments for note in track.notes)
        assert 4.99 <= end <= 20.01
        for onset in np.arange(0, end - 3, 1.5):
            assert len(midi.cut(score, onset, 3.0).instruments) == len(labels), (file, onset)


def test_what_plays_is_what_the_files_name_says(frozen, excerpts):
    for file, labels in [*frozen, *excerpts]:
        tracks = pretty_midi.PrettyMIDI(str(file)).instruments
        playing = ["drums" if track.is_drum else CLASS_OF_PROGRAM[track.program] for track in tracks if track.notes]
        assert sorted(playing) == sorted(labels), file


def test_every_score_has_its_noise(repository, frozen):
    specs = json.loads((repository / "data" / test_sets.NOISE_FILE).read_text())
    assert specs.keys() == {file.relative_to(repository / "data").as_posix() for file, _ in frozen}
    for spec in specs.values():
        assert noise.checked(spec)


def test_scores_of_other_classes_are_left_out_and_labels_ordered(repository):
    classes = ("piano", "flute", "violin")
    chosen = test_sets.score_files(repository / "data", classes)
    assert {label for _, labels in chosen for label in labels} == set(classes)
    for _, labels in chosen:
        assert list(labels) == sorted(labels, key=classes.index)
    assert any(labels == () for _, labels in chosen)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_names_of_classes_can_be_read_out_of_files_names(tmp_path, name):
    for folder, stem in (("solo", f"{name}-007"), ("mixture", f"1-041-{name}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{stem}.mid").touch()
    assert [labels for _, labels in test_sets.score_files(tmp_path, (name,))] == [(name,), (name,)]


def test_a_folder_without_scores_is_named_with_the_command(tmp_path):
    with refused("scores-missing", tmp_path, "solo", "mixture", "dvc pull data.dvc"):
        test_sets.score_files(tmp_path, ("piano",))


# ---- what a model of other classes is asked about


@pytest.mark.parametrize("classes", [("piano", "violin"), tuple(INSTRUMENTS)])
def test_a_model_of_instruments_is_asked_about_them(classes):
    for split in ("train", "composed_noisy", "unseen_clean", "irmas"):
        assert test_sets.label_columns(split, classes) == classes


def test_a_model_of_programs_is_asked_about_the_instruments_they_stand_for():
    classes = ("gm_000", "gm_040", "gm_127", "flute")
    assert test_sets.target_classes(classes) == ("violin", "flute", "piano")
    for split in ("train", "valid", "composed_clean", "composed_noisy"):
        assert test_sets.label_columns(split, classes) == classes
    for split in ("unseen_clean", "unseen_excerpts", "irmas"):
        assert test_sets.label_columns(split, classes) == ("violin", "flute", "piano")
    assert set(INSTRUMENTS) - set(test_sets.target_classes(tuple(PROGRAMS))) == {"drums"}


# ---- making them


FEW = {"solos": 1, "mixtures": 2, "excerpts": 4}


@pytest.fixture(scope="module")
def make(repository):
    return runpy.run_path(str(repository / "scripts/make_test_scores.py"))["make"]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_making_them_anew_gives_the_same_bytes(tmp_path, make, small_params):
    for name in ("one", "other"):
        make(tmp_path / name, small_params, **FEW)
    made = contents(tmp_path / "one")
    assert len(made) == len(INSTRUMENTS) + (4 + 3) * 2 + 4 + 1
    assert contents(tmp_path / "other") == made


def test_what_is_tracked_is_what_the_script_asks_for(tmp_path, repository, make, full_params):
    """Scores and noise are of the commits that added them, as `data.dvc` has them; now it may compose otherwise."""
    make(tmp_path, full_params, **{**FEW, "mixtures": 75})
    made, tracked = contents(tmp_path), contents(repository / "data")
    noises = [json.loads(each.pop(test_sets.NOISE_FILE)) for each in (made, tracked)]
    assert made.keys() <= tracked.keys()  # which have the classes in their names
    assert noises[0].keys() <= noises[1].keys()


def test_what_is_there_stays_when_others_are_added(tmp_path, make, small_params):
    make(tmp_path, small_params, **FEW)
    before = contents(tmp_path)
    (tmp_path / "solo/tuba-000.mid").write_bytes(b"mine")
    make(tmp_path, small_params, **{**FEW, "solos": 2})
    after = contents(tmp_path)
    assert len(after) == len(before) + len(INSTRUMENTS)
    assert after["solo/tuba-000.mid"] == b"mine"
    noises = [json.loads(each.pop(test_sets.NOISE_FILE)) for each in (before, after)]
    assert noises[0].items() <= noises[1].items()
    assert {name for name in before if before[name] != after[name]} == {"solo/tuba-000.mid"}
