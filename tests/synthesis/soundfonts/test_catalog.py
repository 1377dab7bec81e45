import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instrec.params import SoundFontParams
from instrec.synthesis.soundfonts import catalog, freepats, sf2_writer
from instrec.synthesis.soundfonts.sf2_writer import Note
from tests.refusals import refused


def font(path: Path, *presets: tuple[int, int]) -> Path:
    """A SoundFont of one note, which plays every preset."""
    path.parent.mkdir(exist_ok=True)
    note = Note(np.arange(100, dtype=np.int16), 22050, 60.0, (0, 127))
    sf2_writer.write(path, "own", {preset: [note] for preset in presets or [(0, 40)]})
    return path


def test_the_first_folder_that_has_it_counts(tmp_path):
    second = font(tmp_path / "b/own.sf2")
    folders = (str(tmp_path / "a"), str(tmp_path / "b"))
    assert catalog.find("own.sf2", folders) == second
    first = font(tmp_path / "a/own.sf2")
    assert catalog.find("own.sf2", folders) == first


@pytest.mark.parametrize("name", catalog.KNOWN)
def test_a_missing_known_one_comes_with_its_command(tmp_path, monkeypatch, name):
    monkeypatch.setattr(freepats, "FOLDER", tmp_path / "none")
    package = catalog.KNOWN[name].package
    with refused("soundfont-missing", name, f"sudo apt-get install {package}"):
        catalog.find(name, [str(tmp_path)])


def test_a_missing_unknown_one_comes_with_where_to_put_it(tmp_path):
    with refused("soundfont-missing", "own.sf2", tmp_path, "soundfonts.folders"):
        catalog.find("own.sf2", [str(tmp_path)])


def test_a_known_one_with_its_checksum_is_taken_without_a_word(tmp_path, monkeypatch, capsys):
    path = font(tmp_path / "TimGM6mb.sf2")
    size, sha256 = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(catalog.KNOWN, path.name, catalog.Known("timgm6mb-soundfont", size, sha256))
    assert catalog.verify(path) == (size, sha256)
    assert capsys.readouterr().err == ""


def test_an_own_one_is_verified_by_its_tables(tmp_path, capsys):
    path = font(tmp_path / "own.sf2")
    assert catalog.verify(path) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    assert capsys.readouterr().err == ""


def test_another_version_of_a_known_one_is_taken_with_a_warning(tmp_path, caplog):
    path = font(tmp_path / "TimGM6mb.sf2")
    assert catalog.verify(path)[0] == path.stat().st_size
    assert str(path) in caplog.text


def test_the_known_size_with_another_checksum_is_damage(tmp_path, monkeypatch):
    path = font(tmp_path / "TimGM6mb.sf2")
    monkeypatch.setitem(catalog.KNOWN, path.name, catalog.Known("timgm6mb-soundfont", path.stat().st_size, "0" * 64))
    with refused("checksum-mismatch", path, "--reinstall timgm6mb-soundfont"):
        catalog.verify(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no SoundFont",
        lambda whole: whole[:40],
        lambda whole: whole.replace(b"igen", b"none"),
    ],
)
@pytest.mark.parametrize("name", ["TimGM6mb.sf2", "own.sf2"])
def test_a_corrupt_one_is_named_with_what_to_do(tmp_path, damage, name):
    path = font(tmp_path / name)
    path.write_bytes(damage(path.read_bytes()))
    remedy = "apt-get install --reinstall timgm6mb-soundfont" if name in catalog.KNOWN else "params.yaml"
    with refused("soundfont-damaged", path, remedy):
        catalog.verify(path)


def test_the_table_has_a_row_a_role_and_no_folders(tmp_path):
    font(tmp_path / "a.sf2", (0, 0), (0, 1), (0, 2), (0, 40), (128, 8), (128, 9), (128, 40))
    font(tmp_path / "b.sf2", (0, 127))
    settings = SoundFontParams(
        folders=(str(tmp_path),), train=("a.sf2", "a.sf2"), valid=("a.sf2",), unseen="b.sf2", mixed=False
    )
    catalog.write(tmp_path / "soundfonts.csv", settings, ["violin"])
    a, b = (
        (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(tmp_path.glob("?.sf2"))
    )
    assert (tmp_path / "soundfonts.csv").read_text().splitlines() == [
        "name,role,bytes,sha256,programs,kits",
        f"a.sf2,train,{a[0]},{a[1]},0-2 40,8-9 40",
        f"a.sf2,valid,{a[0]},{a[1]},0-2 40,8-9 40",
        f"b.sf2,unseen,{b[0]},{b[1]},127,",
    ]


def test_one_that_shares_notes_with_the_unseen_one_is_warned_of(tmp_path, full_params, caplog):
    settings = replace(full_params.soundfonts, train=("sf_GMbank.sf2",), valid=())
    catalog.write(tmp_path / "soundfonts.csv", settings, ["violin"])
    assert caplog.messages[0].startswith("sf_GMbank.sf2: plays violin with notes that TimGM6mb.sf2 has")
