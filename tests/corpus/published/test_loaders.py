"""Every dataset, as a miniature with the real one's files: described, downloaded, checked, listed."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pretty_midi import instrument_name_to_program

from instrec.corpus.index import Excluded, parted
from instrec.corpus.published import CORPORA, omt, slakh
from instrec.taxonomy import CLASS_OF_PROGRAM
from tests.corpus.published.miniature_sizes import ALL, DOWNLOADED, FOUND, downloaded


@pytest.mark.parametrize("name", CORPORA)
def test_a_data_set_says_what_it_is(name):
    corpus = CORPORA[name]
    assert corpus.name == name
    assert set(corpus.labels.values()) <= set(ALL)
    assert set(corpus.classes) == set(corpus.labels.values())
    for told in (corpus.title, corpus.license, corpus.citation, corpus.url, corpus.how, corpus.groups, corpus.notes):
        assert told
        assert "\n" not in told
    assert corpus.checked == (name in DOWNLOADED)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_addresses_and_checksums_are_mirdatas_own(name):
    index, *data = downloaded(name).files()
    assert data
    for remote in (index, *data):
        assert remote.url.startswith("https://zenodo.org/")
        assert len(remote.md5) == 32
        assert not Path(remote.folder).is_absolute()
        assert ".." not in remote.folder


@pytest.mark.parametrize("name", CORPORA)
def test_got_checked_and_listed(name, bring, capsys):
    folder, corpus = bring(name), CORPORA[name]
    told = capsys.readouterr().err
    if name in DOWNLOADED:  # before the first byte
        assert corpus.license in told
        assert corpus.citation in told
    missing, damaged = corpus.validate(folder, workers=1)
    assert missing == []
    assert [path.name for path in damaged] == (["viola_D6_05_piano_arco-normal.mp3"] if name == "philharmonia" else [])
    entries, excluded = parted(corpus.entries(folder, classes=ALL, workers=1))
    count, splits, groups, left_out = FOUND[name]
    assert len(entries) == count
    assert Counter(entry.split for entry in entries) == splits
    assert len({entry.group for entry in entries}) == groups
    assert len(excluded) == left_out
    for entry in entries:
        assert entry.source == name
        assert entry.group.startswith(f"{name}/")
        assert entry.path.startswith(f"corpora/{name}/")
        assert set(entry.labels) <= set(corpus.classes)
    assert len({entry.path for entry in entries}) == len(entries)


@pytest.mark.parametrize("name", CORPORA)
def test_no_group_has_files_of_two_parts(name, bring):
    entries, _ = parted(CORPORA[name].entries(bring(name), classes=ALL, workers=1))
    parts = defaultdict(set)
    for entry in entries:
        parts[entry.group].add(entry.split)
    # OpenMIC's own partition knows recordings, not artists.
    assert name == "openmic" or all(len(splits) == 1 for splits in parts.values())


def test_the_number_of_workers_changes_nothing(bring):
    folder = bring("notes")
    corpus = CORPORA["notes"]
    serial, parallel = (list(corpus.entries(folder, classes=ALL, workers=workers)) for workers in (1, 2))
    assert serial == parallel


def test_files_of_other_classes_are_counted_and_not_decoded(bring):
    folder = bring("good_sounds")
    entries, excluded = parted(CORPORA["good_sounds"].entries(folder, classes=("flute", "gm_040"), workers=1))
    assert {entry.labels for entry in entries} == {("flute",), ("violin",)}  # program 40 answers for the violin
    told = {each.reason for each in excluded}
    assert "6 files: class cello is not among `classes` in params.yaml" in told
    assert "6 files: label 'piccolo' is no class" in told


def test_irmas_has_several_labels_where_it_tests_and_names_as_their_makers_wrote_them(bring):
    entries, _ = parted(CORPORA["irmas"].entries(bring("irmas"), classes=ALL, workers=1))
    tested = [entry for entry in entries if entry.split == "test"]
    assert {len(entry.labels) for entry in tested} == {2}
    assert {entry.group for entry in tested} == {f"irmas/0{part} - Canción" for part in (1, 2, 3)}
    assert {len(entry.labels) for entry in entries if entry.split == "train"} == {1}


def test_every_microphone_of_a_player_is_in_one_group(bring):
    entries, _ = parted(CORPORA["good_sounds"].entries(bring("good_sounds"), classes=ALL, workers=1))
    players = defaultdict(set)
    for entry in entries:
        players[entry.group].add(Path(entry.path).parent.name)
    assert all(microphones == {"akg", "neumann"} for microphones in players.values())


def test_slakh_leaves_out_songs_it_holds_twice_and_names_programs_as_general_midi_does(bring):
    entries, excluded = parted(CORPORA["slakh"].entries(bring("slakh"), classes=ALL, workers=1))
    assert {entry.labels for entry in entries} == {("piano",), ("electric_bass",), ("violin",), ("drums",)}
    assert {each.reason for each in excluded} == {
        "6 files: of songs that the dataset holds twice",
        "3 files: label 'Pan Flute' is no class",
    }
    for program, name in slakh.LABELS.items():
        assert program == "Drums" or CLASS_OF_PROGRAM[instrument_name_to_program(program)] == name


@pytest.mark.parametrize(
    "metadata",
    ["stems: [", "[]", "stems: {}", "stems: {S1: 3}", "stems: {S1: {filename: [a], instrument: flute}}", "stems: 3"],
)
def test_medleydb_without_a_stem_or_with_broken_metadata(bring, metadata):
    folder, corpus = bring("medleydb"), CORPORA["medleydb"]
    stem = folder / "Artist_One/Artist_One_STEMS/Artist_One_STEM_01.wav"
    stem.unlink()
    assert corpus.validate(folder, workers=1) == ([stem], [])
    (folder / "Artist_Two/Artist_Two_METADATA.yaml").write_text(metadata)
    _, excluded = parted(corpus.entries(folder, classes=ALL, workers=1))
    assert Excluded(f"{folder}/Artist_Two/Artist_Two_METADATA.yaml", "not a song's metadata; replace it") in excluded


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("01_Kick", "drums"),
        ("Bass Drum", "drums"),
        ("Bass", "electric_bass"),
        ("UprightBass_DI", "double_bass"),
        ("LeadVox2", "voice"),
        ("ElecGtr1", "electric_guitar"),
        ("Acoustic Guitar L", "acoustic_guitar"),
        ("Guitar", None),
        ("Synth Pad", None),
        ("Bassoon", "bassoon"),
    ],
)
def test_stems_names_are_read(stem, name):
    assert omt.LABELS.get(omt.label_of(stem)) == name
