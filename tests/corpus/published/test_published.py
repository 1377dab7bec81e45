"""Every dataset, as a miniature with the real one's files: got, checked, listed, balanced, learned from."""

import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from instrec import features, params, taxonomy
from instrec.corpus import balance, manifest, published
from instrec.corpus.index import Entry, Excluded
from instrec.corpus.published import CORPORA, omt
from instrec.corpus.published.mirdata_loader import MirdataCorpus
from instrec.errors import UserError
from instrec.models import architectures
from instrec.synthesis import rendering
from instrec.synthesis.soundfonts import catalog
from instrec.training import fit
from instrec.training.batches import Batches
from instrec.util.hdf5 import open_store

ALL = tuple(taxonomy.INSTRUMENTS)
DOWNLOADED = [name for name, corpus in CORPORA.items() if isinstance(corpus, MirdataCorpus)]
PLACED = [name for name in CORPORA if name not in DOWNLOADED]

# What each miniature gives: files with an entry, of its training, validation and test part, groups, and files left out.
FOUND = {
    "irmas": (61, {"train": 55, "test": 6}, 25, 0),
    "medley_solos_db": (32, {"train": 16, "valid": 8, "test": 8}, 32, 0),
    "good_sounds": (48, {"": 48}, 16, 1),
    "tinysol": (70, {"": 70}, 70, 1),
    "openmic": (35, {"train": 23, "test": 12}, 18, 2),
    "philharmonia": (20, {"": 20}, 15, 3),
    "notes": (21, {"": 21}, 19, 0),
    "medleydb": (6, {"": 6}, 2, 3),
    "jungle_vibe": (10, {"": 10}, 10, 1),
    "omt": (15, {"": 15}, 3, 1),
}


def sources(*, train: tuple[str, ...] = (), test: tuple[str, ...] = ()) -> params.SourcesParams:
    return params.SourcesParams("recordings", "midi", "corpora", train, test)


def parted(found) -> tuple[list[Entry], list[Excluded]]:
    found = list(found)
    return [each for each in found if isinstance(each, Entry)], [each for each in found if isinstance(each, Excluded)]


# ---- the contract


@pytest.mark.parametrize("name", CORPORA)
def test_a_data_set_says_what_it_is(name, repository):
    corpus = CORPORA[name]
    assert corpus.name == name
    assert set(corpus.labels.values()) <= set(ALL)
    assert set(corpus.classes) == set(corpus.labels.values())
    for told in (corpus.title, corpus.license, corpus.citation, corpus.url, corpus.how, corpus.groups):
        assert told
        assert "\n" not in told
    assert corpus.checked == (name in DOWNLOADED)
    page = (repository / "docs/data_sets.md").read_text(encoding="utf-8")
    section = page.split(f"## {name}\n")[1].split("\n## ")[0]
    for told in (corpus.title, corpus.license, corpus.citation, corpus.groups):
        assert told in " ".join(section.split())
    assert {label for label in corpus.labels if f"`{label}`" not in section} == set()


def test_the_table_has_a_row_for_each():
    assert [row.name for row in published.table()] == list(CORPORA)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_addresses_and_checksums_are_mirdatas_own(name):
    index, *data = CORPORA[name].files()
    assert data
    for remote in (index, *data):
        assert remote.url.startswith("https://zenodo.org/")
        assert len(remote.md5) == 32
        assert not Path(remote.folder).is_absolute()
        assert ".." not in remote.folder


@pytest.mark.parametrize("name", CORPORA)
def test_got_checked_and_listed(name, bring, capsys):
    folder, corpus = bring(name), CORPORA[name]
    told = capsys.readouterr().out
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


# ---- what only one of them has


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


def test_openmic_has_several_labels_and_leaves_out_what_listeners_denied(bring):
    entries, _ = parted(CORPORA["openmic"].entries(bring("openmic"), classes=ALL, workers=1))
    assert ("cello", "clarinet") in {entry.labels for entry in entries}
    assert Counter(len(entry.labels) for entry in entries).keys() == {1, 2}


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


# ---- what goes wrong


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_corrupt_download_is_told_and_nothing_of_it_trusted(name, bring, server):
    archive = next(remote.filename for remote in CORPORA[name].files() if remote.packed)
    server.spoil = archive
    with pytest.raises(UserError, match=f"^{name}: {archive}: damaged on its way"):
        published.scan(sources(train=(name,)), classes=ALL, workers=1)
    assert not list(Path("corpora").rglob("*.wav")) + list(Path("corpora").rglob("*.ogg"))
    server.spoil = ""
    assert published.scan(sources(train=(name,)), classes=ALL, workers=1)[0]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_an_interrupted_download_goes_on(name, bring, server):
    archive = next(remote.filename for remote in CORPORA[name].files() if remote.packed)
    server.cut[archive] = 1000
    with pytest.raises(UserError, match="run again to go on where it stopped"):
        bring(name)
    server.asked.clear()
    folder = bring(name)
    assert server.asked[0] == (archive, "bytes=1000-")
    assert CORPORA[name].validate(folder, workers=1) == ([], [])


@pytest.mark.parametrize("name", DOWNLOADED)
def test_missing_and_damaged_files_are_found_and_told(name, bring):
    folder, corpus = bring(name), CORPORA[name]
    first, second, *_ = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".ogg"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"\1")
    assert corpus.validate(folder, workers=1) == ([first], [second])
    with pytest.raises(UserError, match=f"^{name}: 1 files missing, 1 damaged .*remove corpora/{name}/.unpacked"):
        published.scan(sources(test=(name,)), classes=ALL, workers=1)
    shutil.rmtree(folder / ".unpacked")
    corpus.download(folder)
    assert corpus.validate(folder, workers=1) == ([], [])


@pytest.mark.parametrize("name", DOWNLOADED)
def test_what_the_error_says_mends_damage(name, bring):
    folder, corpus = bring(name), CORPORA[name]
    if not corpus.checked:
        return
    first = next(path for path in sorted(folder.rglob("*")) if path.suffix in (".wav", ".ogg"))
    first.write_bytes(first.read_bytes()[:-1] + b"\1")
    with pytest.raises(UserError, match=f"remove (.*) and corpora/{name}/.unpacked to download it again") as told:
        published.scan(sources(test=(name,)), classes=ALL, workers=1)
    assert f"remove {first} and" in str(told.value)
    first.unlink()
    shutil.rmtree(folder / ".unpacked")
    assert published.scan(sources(test=(name,)), classes=ALL, workers=1)[0]


def test_before_a_download_the_index_is_what_is_missing(tmp_path):
    assert CORPORA["irmas"].validate(tmp_path, workers=1) == ([tmp_path / "irmas_index_1.0.json"], [])


@pytest.mark.parametrize(
    "content", ["[]", "3", '{"tracks": [3]}', '{"tracks": {"a": 3}}', '{"tracks": {"a": {"audio": ["a.wav"]}}}']
)
def test_an_index_that_is_something_else_is_named(tmp_path, content):
    (tmp_path / "irmas_index_1.0.json").write_text(content)
    with pytest.raises(UserError, match=r"irmas_index_1\.0\.json: cannot be read .*; remove it and run again"):
        CORPORA["irmas"].validate(tmp_path, workers=1)


def test_archives_placed_by_hand_are_taken_and_kept(bring, server):
    shutil.copytree(server.root / "irmas", "corpora/irmas")
    folder = bring("irmas")
    assert server.asked == []
    assert CORPORA["irmas"].validate(folder, workers=1) == ([], [])
    assert (folder / "IRMAS-TrainingData.zip").exists()


def test_what_was_unpacked_by_hand_costs_the_index_alone(bring, server):
    folder = bring("irmas")
    for path in (folder / ".unpacked", folder / "irmas_index_1.0.json"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    server.asked.clear()
    bring("irmas")
    assert [name for name, _ in server.asked] == ["irmas_index_1.0.json"]


def test_once_got_nothing_is_asked_for_nor_told(bring, server, capsys):
    bring("tinysol")
    server.asked.clear()
    capsys.readouterr()
    bring("tinysol")
    assert server.asked == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", PLACED)
def test_what_the_user_must_place_is_told_in_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpora" / name).mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(UserError) as raised:
            published.scan(sources(train=(name,)), classes=ALL, workers=1)
        assert str(raised.value).startswith(f"{name}: not in corpora/{name}; ")
        assert CORPORA[name].how in str(raised.value)
    (tmp_path / "corpora" / name / "README.md").touch()
    with pytest.raises(UserError, match=f"^{name}: 1 files missing"):
        published.scan(sources(train=(name,)), classes=ALL, workers=1)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(UserError, match=r"sources\.test: unknown dataset 'imras'; known: irmas, medley_solos_db"):
        published.scan(sources(train=("irmas",), test=("imras",)), classes=ALL)


@pytest.mark.parametrize("knob", ["train", "test"])
def test_data_sets_that_share_songs_are_refused_where_both_could_be_learned_and_tested(tmp_path, monkeypatch, knob):
    monkeypatch.chdir(tmp_path)  # without any dataset
    shared = {"train": ("medley_solos_db",)}
    shared[knob] = (*shared.get(knob, ()), "medleydb")
    with pytest.raises(UserError, match=r"sources\.train: medley_solos_db is cut from songs of medleydb"):
        published.scan(sources(**shared), classes=ALL)
    with pytest.raises(UserError, match=r"^medleydb: not in corpora/medleydb"):
        published.scan(sources(train=("medleydb",), test=("medley_solos_db",)), classes=ALL)


# ---- what tests, what trains


def test_a_data_set_that_trains_keeps_its_partition_whether_or_not_it_tests(bring):
    for test in ((), ("medley_solos_db",)):
        entries, _ = published.scan(sources(train=("medley_solos_db",), test=test), classes=ALL, workers=1)
        assert Counter(entry.split for entry in entries) == FOUND["medley_solos_db"][1]


def test_one_that_only_tests_does_so_with_its_test_part_or_all_of_it(bring):
    entries, excluded = published.scan(sources(test=("medley_solos_db", "good_sounds")), classes=ALL, workers=1)
    assert {entry.split for entry in entries} == {"test"}
    assert Counter(entry.source for entry in entries) == {"medley_solos_db": 8, "good_sounds": 48}
    assert any(each.reason.startswith("24 files: not of the dataset's test part") for each in excluded)


@pytest.fixture(scope="module")
def settings(small_params) -> params.Params:
    """Every class, two training clips each, in two batches."""
    bounds = {"train_per_class": 2, "train_mixtures": 0, "valid_per_class": 1, "valid_mixtures": 0}
    return replace(
        small_params,
        task="multilabel",
        classes=ALL,
        balance=replace(small_params.balance, **bounds, noisy_share=0.0),
        train=replace(small_params.train, batch_size=len(ALL)),
    )


@pytest.fixture(scope="module")
def model(settings):
    """One model for all datasets: compiled once."""
    shape = features.from_params(settings.clip, settings.spectrogram)(np.zeros(settings.clip.samples)).shape
    built = architectures.build(shape, len(ALL), settings.task, settings.model)
    return fit.compiled(settings, built, 2)


@pytest.mark.parametrize("name", CORPORA)
def test_from_files_to_two_steps_of_training(name, bring, settings, model, score_of):
    bring(name)
    for file in ("data/solo/violin-000.mid", "data/excerpt/000-violin.mid"):
        Path(file).parent.mkdir(parents=True)
        score_of(40, (60, 0.0, 2.0)).write(file)
    settings = replace(settings, sources=sources(train=(name,)))
    entries, _ = published.scan(settings.sources, classes=ALL, workers=1)
    held = catalog.held(settings.soundfonts.all, settings.soundfonts.folders)
    clips = balance.make(settings, entries, Path("data"), held)
    own = [clip for clip in clips if clip.group.startswith(f"{name}/")]
    groups = defaultdict(set)
    for clip in own:
        groups[clip.group].add(clip.split)
    assert all(len(splits) == 1 for splits in groups.values())
    assert {clip.split for clip in own} >= {"train", name} or name == "medleydb"
    assert all(clip.source == manifest.RECORDING for clip in own)

    trained = manifest.of_split(clips, "train")
    assert any(clip in own for clip in trained)
    rendering.write(Path("audio.h5"), trained, rendering.Renderer(settings, Path("data")))
    representation = features.from_params(settings.clip, settings.spectrogram)
    features.write(Path("pictures.h5"), Path("audio.h5"), representation, workers=1)
    with open_store(Path("pictures.h5")) as store:
        batches = Batches(store, settings, epoch=0)
        assert len(batches) == 2
        before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
        losses = [model.train_on_batch(*batches[step], return_dict=True)["loss"] for step in range(2)]
    assert np.isfinite(losses).all()
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_variables]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
