"""What goes wrong with a dataset's files is reported, and nothing of it trusted."""

import shutil
from pathlib import Path

import pytest

from instrec.corpus import published
from instrec.corpus.published import CORPORA
from tests.corpus.published.miniature_sizes import ALL, DOWNLOADED, PLACED, downloaded, sources
from tests.refusals import refused

AUDIO = (".wav", ".ogg", ".flac")


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_corrupt_download_is_told_and_nothing_of_it_trusted(name, bring, server):
    archive = next(remote.filename for remote in downloaded(name).files() if remote.packed)
    server.spoil = archive
    with refused("download-damaged", f"{name}: {archive}", "run again"):
        published.scan(sources(train=(name,)), classes=ALL, workers=1)
    assert not [path for path in Path("corpora").rglob("*.*") if path.suffix in AUDIO]
    server.spoil = ""
    assert published.scan(sources(train=(name,)), classes=ALL, workers=1)[0]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_an_interrupted_download_goes_on(name, bring, server):
    archive = next(remote.filename for remote in downloaded(name).files() if remote.packed)
    server.cut[archive] = 1000
    with refused("download-interrupted", name, "run again"):
        bring(name)
    server.asked.clear()
    folder = bring(name)
    assert server.asked[0] == (archive, "bytes=1000-")
    assert CORPORA[name].validate(folder, workers=1) == ([], [])


@pytest.mark.parametrize("name", DOWNLOADED)
def test_missing_and_damaged_files_are_found_and_told(name, bring):
    folder, corpus = bring(name), CORPORA[name]
    first, second, *_ = sorted(path for path in folder.rglob("*") if path.suffix in AUDIO)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"\1")
    assert corpus.validate(folder, workers=1) == ([first], [second])
    with refused("dataset-incomplete", name, "1 files", "1 damaged", first, f"remove corpora/{name}/.unpacked"):
        published.scan(sources(test=(name,)), classes=ALL, workers=1)
    shutil.rmtree(folder / ".unpacked")
    corpus.download(folder)
    assert corpus.validate(folder, workers=1) == ([], [])


@pytest.mark.parametrize("name", DOWNLOADED)
def test_what_the_error_says_mends_damage(name, bring):
    folder, corpus = bring(name), CORPORA[name]
    if not corpus.checked:
        return
    first = next(path for path in sorted(folder.rglob("*")) if path.suffix in AUDIO)
    first.write_bytes(first.read_bytes()[:-1] + b"\1")
    with refused("dataset-incomplete", name, f"remove {first} and corpora/{name}/.unpacked"):
        published.scan(sources(test=(name,)), classes=ALL, workers=1)
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
    with refused("document-unreadable", tmp_path / "irmas_index_1.0.json", "remove it and run again"):
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
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", PLACED)
def test_what_the_user_must_place_is_told_in_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpora" / name).mkdir(parents=True)
    for _ in range(2):
        with refused("dataset-missing", name, f"corpora/{name}", CORPORA[name].how):
            published.scan(sources(train=(name,)), classes=ALL, workers=1)
    (tmp_path / "corpora" / name / "README.md").touch()
    with refused("dataset-incomplete", name, "1 files"):
        published.scan(sources(train=(name,)), classes=ALL, workers=1)


def test_an_unknown_name_is_told_with_the_known_ones():
    with refused("value-unknown", "params.yaml: sources.test", "'imras'", "irmas, medley_solos_db"):
        published.scan(sources(train=("irmas",), test=("imras",)), classes=ALL)


@pytest.mark.parametrize("key", ["train", "test"])
def test_datasets_that_share_songs_are_refused_in_training_and_testing(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)  # without any dataset
    shared = {"train": ("medley_solos_db",)}
    shared[key] = (*shared.get(key, ()), "medleydb")
    with refused("datasets-overlap", "params.yaml: sources.train", "medley_solos_db", "medleydb,", "sources.test"):
        published.scan(sources(**shared), classes=ALL)
    with refused("dataset-missing", "medleydb", "corpora/medleydb"):
        published.scan(sources(train=("medleydb",), test=("medley_solos_db",)), classes=ALL)
