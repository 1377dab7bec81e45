"""The frozen test scores are those that data.dvc names, and enough of them."""

import hashlib
import json
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pretty_midi
import pytest
import yaml

from instrec import noise, yardstick
from instrec.errors import UserError
from instrec.taxonomy import CLASS_OF_PROGRAM, INSTRUMENTS


@pytest.fixture(scope="module")
def frozen(repository, full_params) -> list[tuple[Path, tuple[str, ...]]]:
    return yardstick.score_files(repository / "data", full_params.classes)


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


def test_there_are_enough_of_every_kind(frozen, full_params):
    solos = Counter(labels for file, labels in frozen if file.parent.name == "solo")
    assert solos.keys() == {(name,) for name in full_params.classes}
    assert min(solos.values()) >= 30
    mixtures = Counter(len(labels) for file, labels in frozen if file.parent.name == "mixture")
    assert mixtures.keys() == {0, 1, 2, 3}
    assert min(mixtures.values()) >= 75


def test_what_plays_is_what_the_files_name_says(frozen):
    for file, labels in frozen:
        tracks = pretty_midi.PrettyMIDI(str(file)).instruments
        playing = ["drums" if track.is_drum else CLASS_OF_PROGRAM[track.program] for track in tracks if track.notes]
        assert sorted(playing) == sorted(labels), file


def test_every_score_has_its_noise(repository, frozen):
    specs = json.loads((repository / "data" / yardstick.NOISE_FILE).read_text())
    assert specs.keys() == {file.relative_to(repository / "data").as_posix() for file, _ in frozen}
    for spec in specs.values():
        assert noise.from_json(spec).steps


def test_scores_of_other_classes_are_left_out_and_labels_ordered(repository):
    classes = ("piano", "flute", "violin")
    chosen = yardstick.score_files(repository / "data", classes)
    assert {label for _, labels in chosen for label in labels} == set(classes)
    for _, labels in chosen:
        assert list(labels) == sorted(labels, key=classes.index)
    assert any(labels == () for _, labels in chosen)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_names_of_classes_can_be_read_out_of_files_names(tmp_path, name):
    for folder, stem in (("solo", f"{name}-007"), ("mixture", f"1-041-{name}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{stem}.mid").touch()
    assert [labels for _, labels in yardstick.score_files(tmp_path, (name,))] == [(name,), (name,)]


def test_a_folder_without_scores_is_named_with_the_command(tmp_path):
    with pytest.raises(UserError, match=r"no test scores there; bring them: dvc pull data\.dvc"):
        yardstick.score_files(tmp_path, ("piano",))


def test_making_them_anew_gives_the_same_bytes(tmp_path, repository, small_params):
    script = runpy.run_path(str(repository / "scripts/make_test_scores.py"))
    settings = replace(small_params, classes=("violin", "piano", "drums"))
    for name in ("one", "other"):
        script["make"](tmp_path / name, settings)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 3 * 30 + 4 * 75 + 1
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
